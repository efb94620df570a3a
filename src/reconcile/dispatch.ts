import type { Log } from '../lib/log.ts';
import { Failure } from '../model/failure.ts';
import type { Decision, Step } from '../model/step.ts';
import { noteMisfortune } from './misfortune.ts';
import { perform, type Hands } from './perform.ts';

/** Kinds of work that may not crowd each other out: a slow pull never delays a recovery. */
type Lane = 'pull' | 'rollout' | 'quick';

const LIMITS: { readonly [L in Lane]: number } = { pull: 4, rollout: 4, quick: 64 };

const laneOf: { readonly [K in Step['kind']]: Lane } = {
  pull: 'pull',
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

/** Carries out one step a server at a time, servers side by side. What finds no room is planned again at the next look. */
export class Dispatch {
  readonly #log: Log;
  readonly #hint: () => void;
  readonly #inHand = new Map<string, { readonly step: Step; readonly done: Promise<void> }>();
  readonly #delays = new Map<string, { readonly until: number; readonly count: number }>();

  constructor(options: { readonly log: Log; readonly hint: () => void }) {
    this.#log = options.log;
    this.#hint = options.hint;
  }

  /** Begins what may begin now. Returns when a server that was put off may be tried again (Unix ms), or null. */
  begin(decisions: readonly Decision[], hands: Hands): number | null {
    const now = hands.clock.now();
    for (const { server, step, held } of decisions) {
      if (step === null || held !== null || this.#inHand.has(server)) continue;
      if (this.#isPutOff(server, now) || !this.#hasRoom(laneOf[step.kind])) continue;
      this.#inHand.set(server, { step, done: this.#carryOut(step, hands) });
    }
    return this.#earliestDelay(now);
  }

  /** The step each server has in hand. */
  inHand(): Readonly<Record<string, Step>> {
    return Object.fromEntries([...this.#inHand].map(([server, { step }]) => [server, step]));
  }

  /** Resolves when nothing is in hand any more. */
  async drain(): Promise<void> {
    await Promise.all([...this.#inHand.values()].map(({ done }) => done));
  }

  /** More than the longest delay away: the clock was set back. */
  #isPutOff(server: string, now: number): boolean {
    const left = (this.#delays.get(server)?.until ?? 0) - now;
    return left > 0 && left <= LONGEST_DELAY_MS;
  }

  #hasRoom(lane: Lane): boolean {
    const busy = [...this.#inHand.values()].filter(({ step }) => laneOf[step.kind] === lane);
    return busy.length < LIMITS[lane];
  }

  async #carryOut(step: Step, hands: Hands): Promise<void> {
    try {
      await perform(step, hands);
      this.#delays.delete(step.server);
    } catch (error) {
      await this.#failed(step, error, hands);
    } finally {
      this.#inHand.delete(step.server);
      this.#hint();
    }
  }

  /** The world failed: written down where an event speaks of it, and the server is left alone for a while. */
  async #failed(step: Step, error: unknown, hands: Hands): Promise<void> {
    const count = this.#delays.get(step.server)?.count ?? 0;
    const wait = Math.min(FIRST_DELAY_MS * 2 ** count, LONGEST_DELAY_MS);
    this.#delays.set(step.server, { count: count + 1, until: hands.clock.now() + wait });
    const failure = error instanceof Failure ? error : null;
    this.#log.error(
      {
        server_name: step.server,
        step: step.kind,
        code: failure?.code,
        err: failure === null ? error : undefined,
      },
      failure?.message ?? `our own mistake in ${step.kind}`,
    );
    if (failure === null) return;
    await noteMisfortune(step, failure, hands).catch((again: unknown) => {
      this.#log.error({ server_name: step.server, err: again }, 'the failure could not be written down');
    });
  }

  #earliestDelay(now: number): number | null {
    const later = [...this.#delays.values()].map(({ until }) => until).filter((until) => until > now);
    return later.length === 0 ? null : Math.min(...later);
  }
}
