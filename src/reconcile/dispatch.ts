import type { Log } from '../lib/log.ts';
import { Failure } from '../model/failure.ts';
import type { Decision, Step } from '../model/step.ts';
import { Ends } from './ends.ts';
import type { Mistakes } from './mistakes.ts';
import { noteMisfortune, tellFailed, tellUnwritten } from './misfortune.ts';
import { perform, type Hands } from './perform.ts';
import { Pulls, type Looked } from './pulls.ts';

/** Kinds of work that may not crowd each other out: a slow rollout never delays a recovery. */
type Lane = 'rollout' | 'quick';

const LIMITS: { readonly [L in Lane]: number } = { rollout: 4, quick: 64 };

const laneOf: { readonly [K in Step['kind']]: Lane } = {
  create: 'rollout',
  start: 'quick',
  restart: 'quick',
  promote: 'quick',
  leave: 'quick',
  stop: 'rollout',
  remove: 'rollout',
  remove_image: 'rollout',
  record: 'quick',
};

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 60_000;

/** A step that failed, and when it may be tried again (Unix ms). */
interface Delay {
  readonly until: number;
  readonly count: number;
}

/** Carries out one step a server at a time, servers side by side. What finds no room is planned again at the next look. */
export class Dispatch {
  readonly #log: Log;
  readonly #hint: () => void;
  readonly #mistakes: Mistakes;
  readonly #ends = new Ends();
  readonly #pulls: Pulls;
  readonly #inHand = new Map<string, { readonly step: Step; readonly done: Promise<void> }>();
  /** By step: what cannot be done now keeps nothing else from being done. */
  readonly #delays = new Map<string, Delay>();

  constructor(options: { readonly log: Log; readonly hint: () => void; readonly mistakes: Mistakes }) {
    this.#log = options.log;
    this.#hint = options.hint;
    this.#mistakes = options.mistakes;
    this.#pulls = new Pulls({ ...options, ends: this.#ends });
  }

  /** Begins what may begin now. Returns when what was put off may be tried again (Unix ms), or null. */
  begin(decisions: readonly Decision[], { lookedAt, images, ...hands }: Hands & Looked): number | null {
    const now = hands.clock.now();
    const pullAt = this.#pulls.begin(decisions, { ...hands, lookedAt, images });
    this.#forgetOld(now);
    for (const { server, step, held } of decisions) {
      if (step === null || held !== null || this.#inHand.has(server)) continue;
      if (!this.#ends.wasSeen(server, lookedAt)) continue;
      if (this.#isPutOff(step, now) || !this.#hasRoom(laneOf[step.kind])) continue;
      this.#inHand.set(server, { step, done: this.#carryOut(step, hands) });
    }
    return earliest([pullAt, this.#earliestDelay(now)]);
  }

  /** To be asked for when a look begins, and given with what is decided from it. */
  moment(): number {
    return this.#ends.moment();
  }

  /** The step each server has in hand. */
  inHand(): Readonly<Record<string, Step>> {
    return Object.fromEntries([...this.#inHand].map(([server, { step }]) => [server, step]));
  }

  /** Gives pulls up, and resolves when nothing is in hand any more. */
  async drain(): Promise<void> {
    await this.#pulls.giveUp();
    await Promise.all([...this.#inHand.values()].map(({ done }) => done));
  }

  /** More than the longest delay away: the clock was set back. */
  #isPutOff(step: Step, now: number): boolean {
    const left = (this.#delays.get(nameOf(step))?.until ?? 0) - now;
    return left > 0 && left <= LONGEST_DELAY_MS;
  }

  #hasRoom(lane: Lane): boolean {
    const busy = [...this.#inHand.values()].filter(({ step }) => laneOf[step.kind] === lane);
    return busy.length < LIMITS[lane];
  }

  async #carryOut(step: Step, hands: Hands): Promise<void> {
    try {
      await perform(step, hands);
      this.#delays.delete(nameOf(step));
    } catch (error) {
      await this.#failed(step, error, hands);
    } finally {
      this.#inHand.delete(step.server);
      this.#ends.note(step.server);
      this.#hint();
    }
  }

  /** The world failed: written down where an event speaks of it, and this step is left alone for a while. */
  async #failed(step: Step, error: unknown, hands: Hands): Promise<void> {
    const count = this.#delays.get(nameOf(step))?.count ?? 0;
    const wait = Math.min(FIRST_DELAY_MS * 2 ** count, LONGEST_DELAY_MS);
    this.#delays.set(nameOf(step), { count: count + 1, until: hands.clock.now() + wait });
    if (!(error instanceof Failure)) return this.#mistakes.note(step.server, 'deed', error);
    tellFailed(this.#log, { server: step.server, deed: step.kind }, error);
    await noteMisfortune(step, error, hands).catch((again: unknown) =>
      tellUnwritten(this.#log, step.server, again),
    );
  }

  /** What was not tried again when it might have been is no longer asked for. */
  #forgetOld(now: number): void {
    for (const [name, { until }] of this.#delays) {
      if (until + LONGEST_DELAY_MS < now) this.#delays.delete(name);
    }
  }

  #earliestDelay(now: number): number | null {
    return earliest([...this.#delays.values()].map(({ until }) => (until > now ? until : null)));
  }
}

function earliest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** The same deed at the same thing has the same name, however it came to be decided. */
function nameOf(step: Step): string {
  const thing = 'instance' in step ? step.instance.id : 'spec' in step ? step.spec.digest : '';
  const what = step.kind === 'record' ? step.event : step.kind === 'remove_image' ? step.image : thing;
  return `${step.server} ${step.kind} ${what}`;
}
