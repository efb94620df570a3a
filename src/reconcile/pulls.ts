import type { Log } from '../lib/log.ts';
import { secondsBetween } from '../lib/time.ts';
import { Failure } from '../model/failure.ts';
import { imageRefOf, registryOf } from '../model/spec.ts';
import type { Decision, Pull } from '../model/step.ts';
import type { Ends } from './ends.ts';
import { notePullFailed, tellFailed, tellUnwritten } from './misfortune.ts';
import type { Mistakes } from './mistakes.ts';
import { beginRollout, write, type Hands } from './perform.ts';

/** One that still makes progress after this is begun anew, and goes on from its layers. Milliseconds. */
const DEADLINE_MS = 600_000;
/** Before the next try of one whose failure could not even be written down. */
const UNWRITTEN_MS = 10_000;
/** At once from one registry: one that is slow delays nobody else's images. */
const MOST_FROM_ONE_REGISTRY = 4;
/** One without any news for so long takes no place: it may hang for as long as its deadline. */
const STANDS_STILL_MS = 10_000;

export interface Looked {
  /** When the look began that the decisions come from, as `Ends.moment` tells it. */
  readonly lookedAt: number;
  /** `repository@digest` of those that the look saw on this machine. */
  readonly images: readonly string[];
}

interface UnderWay {
  readonly pull: Pull;
  /** Unix ms of its latest news. */
  movedAt: number;
  readonly given: AbortController;
  readonly done: Promise<void>;
}

interface PullsDeps {
  readonly log: Log;
  readonly hint: () => void;
  readonly ends: Ends;
  readonly mistakes: Mistakes;
}

/** Brings images here beside all other work, one a server. What no decision asks for any more is given up. */
export class Pulls {
  readonly #log: Log;
  readonly #hint: () => void;
  readonly #ends: Ends;
  readonly #mistakes: Mistakes;
  readonly #underWay = new Map<string, UnderWay>();
  /** By server, Unix ms. */
  readonly #notBefore = new Map<string, number>();

  constructor(options: PullsDeps) {
    this.#mistakes = options.mistakes;
    this.#log = options.log;
    this.#hint = options.hint;
    this.#ends = options.ends;
  }

  /** Begins what may begin now. Returns when what found no room may be tried again (Unix ms), or null. */
  begin(decisions: readonly Decision[], { lookedAt, images, ...hands }: Hands & Looked): number | null {
    const now = hands.clock.now();
    const asked = new Map(decisions.map(({ server, pull }) => [server, pull]));
    for (const [server, { pull, given }] of this.#underWay) {
      const next = asked.get(server) ?? null;
      // Nobody asks for what is here: the engine shows an image a moment before it says that it has pulled it.
      const isHere = next === null && images.includes(imageRefOf(pull.spec));
      if (!isHere && !isSame(next, pull)) given.abort();
    }
    const isNew = ({ server }: Pull): boolean =>
      !this.#underWay.has(server) && this.#ends.wasSeen(`pull ${server}`, lookedAt);
    const wanted = [...asked.values()].filter((pull) => pull !== null && isNew(pull));
    const later = (wanted as Pull[]).filter((pull) => !this.#begins(pull, now, hands));
    return later.length === 0 ? null : now + STANDS_STILL_MS;
  }

  /** Gives everything up; resolves when nothing is under way any more. The layers that came stay with the engine. */
  async giveUp(): Promise<void> {
    for (const { given } of this.#underWay.values()) given.abort();
    await Promise.all([...this.#underWay.values()].map(({ done }) => done));
  }

  /** False: not now. */
  #begins(pull: Pull, now: number, hands: Hands): boolean {
    if (this.#isPutOff(pull, now) || !this.#hasRoom(pull, now)) return false;
    const given = new AbortController();
    const progress: Hands['progress'] = (server, so) => {
      const underWay = this.#underWay.get(server);
      if (underWay !== undefined) underWay.movedAt = hands.clock.now();
      hands.progress(server, so);
    };
    const done = this.#carryOut(pull, given.signal, { ...hands, progress });
    this.#underWay.set(pull.server, { pull, given, done, movedAt: now });
    return true;
  }

  /** Further away than it was put: the clock was set back. */
  #isPutOff({ server }: Pull, now: number): boolean {
    const left = (this.#notBefore.get(server) ?? 0) - now;
    return left > 0 && left <= UNWRITTEN_MS;
  }

  #hasRoom({ spec }: Pull, now: number): boolean {
    const registry = registryOf(spec.image);
    const same = [...this.#underWay.values()].filter(
      ({ pull, movedAt }) => registryOf(pull.spec.image) === registry && now - movedAt < STANDS_STILL_MS,
    );
    return same.length < MOST_FROM_ONE_REGISTRY;
  }

  async #carryOut(pull: Pull, given: AbortSignal, hands: Hands): Promise<void> {
    try {
      await bring(pull, given, hands);
    } catch (error) {
      if (!given.aborted) await this.#failed(pull, error, hands);
    } finally {
      this.#underWay.delete(pull.server);
      this.#ends.note(`pull ${pull.server}`);
      hands.progress(pull.server, null);
      this.#hint();
    }
  }

  /** What is written down is put off by it: until then no decision asks for the image. */
  async #failed(pull: Pull, error: unknown, hands: Hands): Promise<void> {
    this.#notBefore.set(pull.server, hands.clock.now() + UNWRITTEN_MS);
    if (!(error instanceof Failure)) return this.#mistakes.note(pull.server, 'deed', error);
    tellFailed(this.#log, { server: pull.server, deed: 'pull' }, error);
    await notePullFailed(pull, error, hands).then(
      () => this.#notBefore.delete(pull.server),
      (again: unknown) => tellUnwritten(this.#log, pull.server, again),
    );
  }
}

async function bring({ server, spec }: Pull, given: AbortSignal, hands: Hands): Promise<void> {
  await hands.specs.keep(spec);
  await beginRollout(server, spec, hands);
  const began = hands.clock.now();
  const deadline = hands.clock.deadline(DEADLINE_MS, given);
  const { image, imageDigest: image_digest } = spec;
  // What is here by now a person brought, and it stays theirs.
  if ((await hands.runtime.localDigest(imageRefOf(spec), deadline)) === image_digest) return;
  await write(hands, server, 'image_pulling', { image, image_digest });
  await hands.runtime.pull(spec, (so) => hands.progress(server, so), deadline);
  const seconds = secondsBetween(began, hands.clock.now());
  await write(hands, server, 'image_pulled', { image, image_digest, seconds });
}

const isSame = (asked: Pull | null, pull: Pull): boolean =>
  asked !== null && imageRefOf(asked.spec) === imageRefOf(pull.spec);
