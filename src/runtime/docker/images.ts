import { Failure } from '../../model/failure.ts';
import { imageRefOf, repositoryOf } from '../../model/spec.ts';
import type { Spec } from '../../model/spec.ts';
import { canBeAsked, readImage } from './answers.ts';
import type { InspectedImage, Program } from './answers.ts';
import type { EngineClient } from './client.ts';
import { isStatus } from './failures.ts';
import type { News } from './news.ts';

/** The images on the engine's disk. */
export class Images {
  readonly #client: EngineClient;
  readonly #news: News;
  /** By reference, whether it is here; good for as long as `#since` is. */
  readonly #present = new Map<string, boolean>();
  /** By image id, which is a hash of it: good for ever. */
  readonly #defaults = new Map<string, Program>();
  #since = '';

  constructor(client: EngineClient, news: News) {
    this.#client = client;
    this.#news = news;
  }

  /** Those of the `repository@digest` references that are here. Asks nothing twice while events come. */
  async present(references: readonly string[], signal: AbortSignal): Promise<string[]> {
    this.#forgetWhatMayHaveChanged();
    const here = await Promise.all(references.map((each) => this.#isHere(each, signal)));
    return references.filter((_each, index) => here[index]);
  }

  /** What Docker is to be given for a spec: a reference by digest, or the id where nobody published it. `image_not_found` when it is not here. */
  async runnable(spec: Spec, signal: AbortSignal): Promise<string> {
    const reference = imageRefOf(spec);
    if ((await this.inspect(reference, signal)) !== null) return reference;
    if ((await this.inspect(spec.imageDigest, signal)) !== null) return spec.imageDigest;
    throw new Failure('image_not_found', `image ${reference} is not on the engine's disk`, {
      suggestedAction: 'it is pulled again by itself',
    });
  }

  /** The digest that a registry knows it by, its id where nobody published it; null when it is not here. */
  async digest(image: string, signal: AbortSignal): Promise<string | null> {
    const found = await this.inspect(image, signal);
    const wanted = image.split('@')[1];
    if (found === null) return wanted === undefined ? null : this.#idOnDisk(wanted, signal);
    const digests = digestsOf(found, repositoryOf(image));
    return digests.find((each) => each === wanted) ?? digests[0] ?? found.id;
  }

  /** What an image gives its containers; null when it is not here any more, or the engine cannot tell. */
  async defaults(id: string, signal: AbortSignal): Promise<Program | null> {
    const known = this.#defaults.get(id);
    if (known !== undefined) return known;
    if (!canBeAsked(id)) return null;
    const program = (await this.inspect(id, signal).catch(nullIfRefused))?.program ?? null;
    if (program !== null) this.#defaults.set(id, program);
    return program;
  }

  /** null when it is not here, or what is said of it cannot be read. */
  async inspect(reference: string, signal: AbortSignal): Promise<InspectedImage | null> {
    const answer: unknown = await this.#client.ask(
      `look for image ${reference}`,
      (docker) => docker.getImage(reference).inspect().catch(nullIfAbsent),
      signal,
    );
    return readImage(answer);
  }

  /** Only the reference where others point to the image too. What a container uses stays: `engine_refused`. */
  async remove(image: string, signal: AbortSignal): Promise<void> {
    const byId = (await this.inspect(image, signal)) === null;
    const reference = byId ? (image.split('@')[1] ?? image) : image;
    await this.#client.ask(
      `delete image ${image}`,
      (docker) => docker.getImage(reference).remove({ force: false }).catch(nullIfAbsent),
      signal,
    );
    this.#news.touchImages();
  }

  async #idOnDisk(id: string, signal: AbortSignal): Promise<string | null> {
    return (await this.inspect(id, signal)) === null ? null : id;
  }

  async #isHere(reference: string, signal: AbortSignal): Promise<boolean> {
    const known = this.#present.get(reference);
    if (known !== undefined) return known;
    const since = this.#since;
    const found = await this.digest(reference, signal).catch(nullIfRefused);
    const here = found !== null && found === reference.split('@')[1];
    if (since === this.#since) this.#present.set(reference, here);
    return here;
  }

  #forgetWhatMayHaveChanged(): void {
    const { mark, imageTouches } = this.#news;
    const since = `${mark} ${imageTouches}`;
    if (mark === null || since !== this.#since) this.#present.clear();
    this.#since = since;
  }
}

/** The engine leaves `docker.io/` away. */
export function digestsOf(image: InspectedImage, repository: string): string[] {
  const names = [
    repository,
    repository.replace(/^docker\.io\//, ''),
    repository.replace(/^docker\.io\/library\//, ''),
  ];
  return image.repoDigests
    .map((each) => each.split('@'))
    .filter(([name]) => names.includes(name ?? ''))
    .map(([, digest]) => digest ?? '');
}

function nullIfAbsent(error: unknown): null {
  if (isStatus(error, 404)) return null;
  throw error as Error;
}

/** One image that the engine cannot tell of is that image's trouble: it is pulled again, and nobody else waits for it. */
function nullIfRefused(error: unknown): null {
  if (error instanceof Failure && error.code === 'engine_refused') return null;
  throw error as Error;
}
