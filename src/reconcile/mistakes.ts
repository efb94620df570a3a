import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { EventDraft } from '../model/event.ts';
import { ownValue } from '../lib/own-value.ts';
import type { Recorder } from './recorder.ts';

/** What we were about when we made a mistake. */
type Doing = 'decision' | 'deed' | 'watching' | 'sealing' | 'following';

interface MistakesDeps {
  readonly recorder: Recorder;
  readonly log: Log;
  readonly clock: Clock;
  /** The status has to be said anew. */
  readonly hint: () => void;
}

/** One that was not made again for so long is over. Milliseconds. */
const LASTS_MS = 120_000;

/** Our own mistakes, each kept at the server that we were about: told once as long as it lasts, and the others go on. */
export class Mistakes {
  readonly #deps: MistakesDeps;
  /** By server and doing: the words of the mistake, and when it was last made (Unix ms). */
  readonly #known = new Map<string, { readonly server: string; readonly says: string; at: number }>();

  constructor(deps: MistakesDeps) {
    this.#deps = deps;
  }

  /** Servers about which a mistake is known now. */
  servers(): readonly string[] {
    const now = this.#deps.clock.now();
    const lasting = [...this.#known.values()].filter(({ at }) => Math.abs(now - at) < LASTS_MS);
    return [...new Set(lasting.map(({ server }) => server))];
  }

  note(server: string, doing: Doing, error: unknown): void {
    const { log, clock, recorder, hint } = this.#deps;
    const says = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const key = `${server} ${doing}`;
    const known = this.#known.get(key);
    if (known?.says === says && Math.abs(clock.now() - known.at) < LASTS_MS) {
      known.at = clock.now();
      return;
    }
    this.#known.set(key, { server, says, at: clock.now() });
    log.error({ server_name: server, err: error }, `our own mistake in ${doing}`);
    const { memory } = recorder;
    const traceId = ownValue(memory.servers, server)?.traceId ?? memory.traceId ?? 'orchestrator';
    recorder.record(internalError({ server, traceId, doing, error })).catch((failure: unknown) => {
      log.error({ server_name: server, err: failure }, 'the mistake could not be written down');
    });
    hint();
  }
}

/** What is written down of a mistake: enough to find it by, and what to send us. */
export function internalError(about: {
  readonly server: string | null;
  readonly traceId: string;
  readonly doing: string;
  readonly error: unknown;
  /** Number of the line of the log that it is about. */
  readonly line?: number;
}): EventDraft {
  const { server, traceId, doing, error, line } = about;
  const [says = '', ...frames] = (
    error instanceof Error ? (error.stack ?? error.message) : String(error)
  ).split('\n');
  const where = frames.map((frame) => frame.trim().replace(/^at (.*\/)?(?=[^/]*$)/, '')).slice(0, 5);
  return {
    ...{ event: 'internal_error', server, traceId },
    fields: {
      ...{ doing, error: says.slice(0, 500), frames: where },
      ...(line === undefined ? {} : { line }),
      suggested_action:
        'send us this line and the log of run around it; the others are looked after as before',
    },
  };
}
