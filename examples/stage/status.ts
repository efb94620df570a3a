import type { ServerRecord, SourceStatus } from '../../src/model/status.ts';

export interface HealthStatus {
  readonly index: number;
  readonly generated_at: string;
  readonly valid_for_seconds: number;
  readonly view: string;
  readonly status: string;
  readonly source: SourceStatus;
  readonly summary: Readonly<Record<string, number>>;
  readonly servers: readonly ServerRecord[];
}

/** Reads the status as a gateway does: it asks once, and from then on waits for the next change. */
export class StatusFollower {
  readonly #url: string;
  #last: HealthStatus | undefined;
  #trouble = 'nobody answered';

  constructor(url: string) {
    this.#url = url;
  }

  /** What was seen last. */
  get last(): HealthStatus | undefined {
    return this.#last;
  }

  /** The first status for which `is` holds, now or later. Throws after `deadlineMs` with what was waited for and seen. */
  async until(
    what: string,
    is: (status: HealthStatus) => boolean,
    deadlineMs = 60_000,
  ): Promise<HealthStatus> {
    const end = Date.now() + deadlineMs;
    for (let index = 0; Date.now() < end;) {
      const status = await this.#ask(index, end);
      if (status === undefined) continue;
      if (is(status)) return status;
      index = status.index;
    }
    throw new Error(
      `after ${deadlineMs / 1_000} s not seen: ${what}; ${this.#last === undefined ? this.#trouble : seen(this.#last)}`,
    );
  }

  /** The record of a server once `is` holds for it. */
  async server(
    name: string,
    is: (server: ServerRecord) => boolean,
    deadlineMs = 60_000,
  ): Promise<ServerRecord> {
    const found = (status: HealthStatus): ServerRecord | undefined =>
      status.servers.find((server) => server.name === name && is(server));
    const status = await this.until(
      `${name} ${is.toString()}`,
      (one) => found(one) !== undefined,
      deadlineMs,
    );
    return found(status) as ServerRecord;
  }

  /** Undefined where nobody answers, or not yet: the one who asks tries again. */
  async #ask(index: number, end: number): Promise<HealthStatus | undefined> {
    const waitSeconds = Math.max(1, Math.min(10, Math.ceil((end - Date.now()) / 1_000)));
    const query = index === 0 ? '' : `?index=${index}&wait=${waitSeconds}s`;
    const signal = AbortSignal.timeout((waitSeconds + 5) * 1_000);
    const answer = await fetch(`${this.#url}/health/status${query}`, { signal }).catch((error: unknown) =>
      String(error),
    );
    if (typeof answer === 'string' || !answer.ok) {
      this.#trouble = typeof answer === 'string' ? answer : `${answer.status} ${await answer.text()}`;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return undefined;
    }
    return (this.#last = (await answer.json()) as HealthStatus);
  }
}

/** Ready to be sent requests. */
export const isReady = (server: ServerRecord): boolean =>
  server.phase === 'ready' && server.health === 'healthy' && server.routable;

function seen(status: HealthStatus): string {
  const servers = status.servers.map(
    ({ name, phase, health, version, reason, why }) =>
      `${name} ${version ?? '-'} ${phase} ${health} ${reason ?? ''} (${why})`,
  );
  const { state, error } = status.source;
  return [`source ${state} ${error ?? ''}`, ...servers].join('\n  ');
}
