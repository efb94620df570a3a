import type Docker from 'dockerode';
import type { Clock } from '../../lib/clock.ts';
import { Failure } from '../../model/failure.ts';
import { imageRefOf, repositoryOf } from '../../model/spec.ts';
import type { Spec } from '../../model/spec.ts';
import type { PullProgress } from '../runtime.ts';
import { loose, number, text } from './answers.ts';
import type { Loose } from './answers.ts';
import type { EngineClient } from './client.ts';
import { fromDockerError } from './failures.ts';
import type { Images } from './images.ts';
import { ndjson } from './ndjson.ts';
import type { News } from './news.ts';

/** Credentials as the engine takes them. */
export interface RegistryAuth {
  readonly username: string;
  readonly password: string;
  readonly serveraddress: string;
}

interface Puller {
  readonly client: EngineClient;
  readonly images: Images;
  readonly news: News;
  readonly clock: Clock;
  /** Most milliseconds without any news of the pull. */
  readonly stallMs: number;
  readonly authFor: (repository: string) => Promise<RegistryAuth | null>;
}

/** Rejects with `image_mismatch` when another content came than the digest names. */
export async function pull(
  puller: Puller,
  spec: Spec,
  progress: (line: PullProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  if (await puller.images.has(spec, signal)) return;
  await download(puller, spec, progress, signal);
  puller.news.touchImages();
  if (!(await puller.images.has(spec, signal))) {
    throw new Failure('image_mismatch', `what was pulled as ${imageRefOf(spec)} is something else`, {
      suggestedAction: 'see what serves this image between the engine and its registry',
    });
  }
}

async function download(
  { client, clock, stallMs, authFor }: Puller,
  spec: Spec,
  progress: (line: PullProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  const repository = repositoryOf(spec.image);
  const doing = `pull ${imageRefOf(spec)}`;
  const auth = await authFor(repository);
  const wanted = { fromImage: repository, tag: spec.imageDigest };
  const stream = await client.open(doing, (docker) => begin(docker, wanted, auth), signal, stallMs);
  try {
    const layers = new Layers();
    for await (const line of ndjson(stream.body, { clock, signal, stallMs })) progress(layers.after(line));
  } catch (error) {
    throw pullFailure(doing, error);
  } finally {
    stream.close();
  }
  if (signal.aborted) throw new Failure('engine_timeout', `could not ${doing}: it took too long`);
}

const begin = (docker: Docker, wanted: object, auth: RegistryAuth | null): Promise<NodeJS.ReadableStream> =>
  auth === null ? docker.createImage(wanted) : docker.createImage(auth, wanted);

/** What a pull is told of by the engine, whose fault is not clear, is told as a failed pull; no version is to blame for one. */
function pullFailure(doing: string, error: unknown): Failure {
  const failure = fromDockerError(doing, error);
  const isUnclear = error instanceof SaidByEngine && failure.code === 'engine_unreachable';
  if (!isUnclear && (failure.class === 'world' || failure.code === 'image_unsupported')) return failure;
  return new Failure('image_pull_failed', failure.message, {
    suggestedAction: "look into the Docker Engine's log",
    cause: error,
  });
}

class SaidByEngine extends Error {}

/** Adds up the layers of one pull. */
class Layers {
  readonly #layers = new Map<string, { readonly done: number; readonly total: number }>();

  /** One line of a pull: the status of a layer, or an error although the answer began with 200. */
  after(raw: unknown): PullProgress {
    const line = loose(raw);
    if (line['error'] !== undefined) throw new SaidByEngine(text(line['error']) || 'it does not say why');
    this.#note(line);
    const layers = [...this.#layers.values()];
    const sum = (of: 'done' | 'total'): number => layers.reduce((all, layer) => all + layer[of], 0);
    return { done: sum('done'), total: sum('total'), status: text(line['status']) };
  }

  /** Unpacking counts from zero again: only the download is added up. */
  #note({ id, status, progressDetail }: Loose): void {
    if (typeof id !== 'string') return;
    const { current, total } = loose(progressDetail);
    const before = this.#layers.get(id) ?? { done: 0, total: 0 };
    if (status === 'Downloading' && number(total) !== null) {
      this.#layers.set(id, { done: number(current) ?? 0, total: number(total) ?? 0 });
    } else if (status === 'Download complete' || status === 'Pull complete') {
      this.#layers.set(id, { done: before.total, total: before.total });
    }
  }
}
