import { Failure } from '../../model/failure.ts';
import { imageRefOf, interestOf, repositoryOf } from '../../model/spec.ts';
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

  /**
   * Those of the `repository[:tag]@digest` references that are here, as `repository@digest`. Asks nothing twice while events
   * come.
   */
  async present(references: readonly string[], signal: AbortSignal): Promise<string[]> {
    this.#forgetWhatMayHaveChanged();
    const here = await Promise.all(references.map((each) => this.#isHere(each, signal)));
    const found = references.filter((_each, index) => here[index]);
    return [...new Set(found.map((each) => `${repositoryOf(each)}@${digestIn(each) ?? ''}`))];
  }

  /** Whether the engine has it under its own name, so that nothing has to be pulled. */
  async has(spec: Spec, signal: AbortSignal): Promise<boolean> {
    return (await this.#nameOf(interestOf(spec), signal)) !== null;
  }

  /** What Docker is to be given for a spec: a reference by digest, or the id where nobody published it. `image_not_found` when it is not here. */
  async runnable(spec: Spec, signal: AbortSignal): Promise<string> {
    const name = await this.#nameOf(interestOf(spec), signal);
    if (name !== null) return name;
    throw new Failure('image_not_found', `image ${imageRefOf(spec)} is not on the engine's disk`, {
      suggestedAction: 'it is pulled again by itself',
    });
  }

  /** The digest that a registry knows it by, its id where nobody published it; null when it is not here. */
  async digest(image: string, signal: AbortSignal): Promise<string | null> {
    const wanted = digestIn(image);
    if (wanted !== null) return (await this.#nameOf(image, signal)) === null ? null : wanted;
    const found = await this.inspect(image, signal);
    if (found === null || !bears(found.repoTags, image)) return null;
    return digestsOf(found, repositoryOf(image))[0] ?? found.id;
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
    await this.#client.ask(
      `delete image ${image}`,
      (docker) => docker.getImage(image).remove({ force: false }).catch(nullIfAbsent),
      signal,
    );
    this.#news.touchImages();
  }

  /**
   * What it is called here. Trust is about a repository, so an id alone is no name: the engine has to list this very
   * repository with this digest, or, where the reference has a tag, this very tag as a name of that id. null: neither.
   */
  async #nameOf(reference: string, signal: AbortSignal): Promise<string | null> {
    const [repository, digest] = [repositoryOf(reference), digestIn(reference) ?? ''];
    const byDigest = `${repository}@${digest}`;
    const published = await this.inspect(byDigest, signal);
    if (published !== null && digestsOf(published, repository).includes(digest)) return byDigest;
    const tagged = reference.split('@')[0] ?? '';
    if (tagged === repository) return null;
    const local = await this.inspect(tagged, signal);
    return local?.id === digest && bears(local.repoTags, tagged) ? digest : null;
  }

  async #isHere(reference: string, signal: AbortSignal): Promise<boolean> {
    const known = this.#present.get(reference);
    if (known !== undefined) return known;
    const since = this.#since;
    const here = (await this.#nameOf(reference, signal).catch(nullIfRefused)) !== null;
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

const digestIn = (reference: string): string | null => reference.split('@')[1] ?? null;

const bears = (names: readonly string[], name: string): boolean =>
  names.some((each) => spellings(name).includes(each));

const digestsOf = ({ repoDigests }: InspectedImage, repository: string): string[] =>
  repoDigests
    .map((each) => each.split('@'))
    .filter(([name = '']) => spellings(repository).includes(name))
    .map(([, digest]) => digest ?? '');

/** The engine leaves `docker.io/` away. */
const spellings = (name: string): readonly string[] => [
  name,
  name.replace(/^docker\.io\//, ''),
  name.replace(/^docker\.io\/library\//, ''),
];

function nullIfAbsent(error: unknown): null {
  if (isStatus(error, 404)) return null;
  throw error as Error;
}

/** One image that the engine cannot tell of is that image's trouble: it is pulled again, and nobody else waits for it. */
function nullIfRefused(error: unknown): null {
  if (error instanceof Failure && error.code === 'engine_refused') return null;
  throw error as Error;
}
