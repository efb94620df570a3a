import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { Failure, inFull, type FailureCode } from '../model/failure.ts';
import type { Instance } from '../model/observed.ts';
import type { Spec } from '../model/spec.ts';
import type { Blocked } from '../model/world.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Sealed } from './sealing.ts';

interface AdmissionDeps {
  readonly runtime: Pick<Runtime, 'admit'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Something is known now that was not: look again. */
  readonly hint: () => void;
  /** Our own mistake: never dropped. */
  readonly report: (error: unknown) => void;
}

/** What was said of a spec; null failure: it may be made. */
interface Verdict {
  readonly spec: string;
  readonly failure: Failure | null;
  /** Failures in a row. */
  readonly count: number;
  /** Unix ms from when it is asked for again. */
  readonly until: number;
}

const BELIEVED_MS = 10_000;
const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 60_000;
const DEADLINE_MS = 20_000;

/**
 * What would keep a wanted spec from being made is found out before anything gives way to it: else a server would be
 * stopped for one that cannot come. Asked beside; a look never waits for it.
 */
export class Admission {
  readonly #deps: AdmissionDeps;
  readonly #verdicts = new Map<string, Verdict>();
  readonly #busy = new Set<string>();

  constructor(deps: AdmissionDeps) {
    this.#deps = deps;
  }

  /** Of what is sealed, what may be made; the rest is blocked. `ownVolumes`: what a server had before. */
  look(
    sealed: Sealed,
    instances: readonly Instance[],
    ownVolumes: (server: string) => readonly string[],
  ): Sealed {
    const made = new Set(instances.map(({ server, specDigest }) => `${server} ${specDigest}`));
    const obstacles = new Map<string, Blocked>();
    for (const [server, spec] of Object.entries(sealed.wanted)) {
      const isAsked = asksOfTheHost(spec) && !made.has(`${server} ${spec.digest}`);
      const obstacle = isAsked ? this.#obstacle(server, spec, ownVolumes(server)) : null;
      if (obstacle !== null) obstacles.set(server, obstacle);
    }
    if (obstacles.size === 0) return sealed;
    const wanted = Object.entries(sealed.wanted).filter(([server]) => !obstacles.has(server));
    const blocked = { ...sealed.blocked, ...Object.fromEntries(obstacles) };
    return { ...sealed, wanted: Object.fromEntries(wanted), blocked };
  }

  /** A person says look now: what was said holds on, and is asked for at once. */
  askAgain(): void {
    for (const [server, verdict] of this.#verdicts) this.#verdicts.set(server, { ...verdict, until: 0 });
  }

  #obstacle(server: string, spec: Spec, ownVolumes: readonly string[]): Blocked | null {
    const known = this.#verdicts.get(server);
    const verdict = known?.spec === spec.digest ? known : null;
    if (verdict === null || this.#isOver(verdict)) this.#begin(server, spec, ownVolumes);
    if (verdict === null) return asking;
    return verdict.failure === null ? null : blockedBy(verdict.failure, verdict.until);
  }

  /** Further away than it was put: the clock was set back. */
  #isOver({ until }: Verdict): boolean {
    const left = until - this.#deps.clock.now();
    return left <= 0 || left > LONGEST_RETRY_MS;
  }

  #begin(server: string, spec: Spec, ownVolumes: readonly string[]): void {
    const question = `${server} ${spec.digest}`;
    if (this.#busy.has(question)) return;
    this.#busy.add(question);
    const asked = this.#ask(server, spec, ownVolumes).catch(this.#deps.report);
    void asked.then(() => {
      this.#busy.delete(question);
      this.#deps.hint();
    });
  }

  async #ask(server: string, spec: Spec, ownVolumes: readonly string[]): Promise<void> {
    const { runtime, clock, log } = this.#deps;
    const failure = await runtime.admit(spec, ownVolumes, clock.deadline(DEADLINE_MS)).then(
      () => null,
      (error: unknown) => {
        if (error instanceof Failure) return error;
        throw error;
      },
    );
    // An engine that does not answer says nothing against the spec: whoever makes it finds out.
    const obstacle = failure !== null && isObstacle(failure) ? failure : null;
    const before = this.#verdicts.get(server);
    const count = obstacle === null ? 0 : (before?.spec === spec.digest ? before.count : 0) + 1;
    const wait = count === 0 ? BELIEVED_MS : Math.min(FIRST_RETRY_MS * 2 ** (count - 1), LONGEST_RETRY_MS);
    this.#verdicts.set(server, { spec: spec.digest, failure: obstacle, count, until: clock.now() + wait });
    if (obstacle !== null && before?.failure?.code !== obstacle.code)
      log.warn({ server_name: server, code: obstacle.code }, inFull(obstacle));
  }
}

const asksOfTheHost = ({ hostPort, mounts, networks }: Spec): boolean =>
  hostPort !== 0 || mounts.length > 0 || networks.length > 1;

/** Not to be given by any policy, or given by it to another: told as a refusal. The others wait for a person. */
const REFUSED: ReadonlySet<FailureCode> = new Set([
  ...(['host_path_not_allowed', 'host_path_unseen', 'host_path_link', 'host_path_closed'] as const),
  ...(['host_path_shared', 'host_path_changed', 'container_rejected'] as const),
]);
const HELD: ReadonlySet<FailureCode> = new Set([
  ...(['foreign_volume', 'volume_missing', 'host_path_missing', 'port_taken'] as const),
  ...(['network_missing', 'network_ambiguous'] as const),
]);

const isObstacle = ({ code }: Failure): boolean => REFUSED.has(code) || HELD.has(code);

const blockedBy = ({ code, message, suggestedAction }: Failure, until: number): Blocked => ({
  phase: REFUSED.has(code) ? 'refused' : 'held',
  reason: code,
  message,
  suggestedAction,
  until,
});

const asking: Blocked = {
  phase: 'pending',
  reason: 'looking_at_host',
  message: 'the engine is being asked for what it needs beside its image: volumes, paths, networks, ports',
  suggestedAction: null,
  until: null,
};
