import type { App, AppIo } from '../app/app.ts';
import { EXIT } from '../app/config.ts';
import { explain } from './begin.ts';
import { defineCommand, type Io } from './command.ts';
import { durationOrNone, flag } from './options.ts';
import type { LogLevel } from '../lib/log.ts';
import { settleOnce } from './once.ts';
import { humanLog } from './run-log.ts';
import {
  engineOptions,
  logOptions,
  policyOptions,
  runOptions,
  sourceOptions,
  stateOption,
} from './shared.ts';

const STOP_GRACE_MS = 8_000;

export const run = defineCommand({
  name: 'run',
  summary: 'Reconcile until stopped: make what runs what the manifest says',
  about:
    'Reads the manifest, looks at the engine, does the next thing that is missing, and looks ' +
    'again, for ever. Neither an engine nor a remote that is away ends it: it goes on trying, ' +
    'and /health says so. Servers keep running when it ends. SIGHUP looks at the source now; ' +
    'SIGTERM ends it within 10 s.',
  exits: {
    0: 'stopped by a signal; with --once: all is as desired',
    1: 'with --once: a server is not as desired, or time was up',
    3: 'with --once: the manifest is refused',
    4: 'another writer holds the lock',
    5: 'the state folder cannot be used',
  },
  examples: [
    'mcp-orchestration run --manifest https://github.com/acme/manifest --secrets /etc/mcp-orchestration/secrets',
    'mcp-orchestration run --manifest . --runtime memory --once --json',
  ],
  arguments: {},
  options: {
    ...sourceOptions,
    ...runOptions,
    ...stateOption,
    ...engineOptions,
    ...policyOptions,
    ...logOptions,
    once: flag('settle, print the outcome of every server, and exit'),
    json: flag('with --once: print the outcome as JSON'),
    timeout: durationOrNone('with --once: give up after this time (default 5m)'),
  },
  async run({ once, json, timeout, ...config }, io): Promise<number> {
    try {
      // Most of the program is needed here alone: the small commands do not wait for it.
      const { openApp } = await import('../app/app.ts');
      const app = await openApp(config, { ...io, ...logFor(config, io) });
      io.onHangup?.(() => app.poll());
      const settling = { timeoutMs: (timeout ?? 300) * 1_000, json };
      return await stopped(app, once ? settleOnce(app, settling, io) : untilStopped(app, io));
    } catch (error) {
      return explain(error, config.state, io);
    }
  },
});

/** Text for a person at a terminal, JSON lines for everything else. */
function logFor(
  config: { readonly logFormat: 'auto' | 'text' | 'json'; readonly logLevel: LogLevel },
  io: Io,
): Pick<AppIo, 'log'> {
  const asText = config.logFormat === 'text' || (config.logFormat === 'auto' && io.stderr.isTTY === true);
  return asText ? { log: (scrub) => humanLog(io, config.logLevel, scrub) } : {};
}

async function untilStopped(app: App, io: Io): Promise<number> {
  const stopped = new Promise<number>((resolve) => {
    if (io.signal.aborted) resolve(EXIT.ok);
    io.signal.addEventListener('abort', () => resolve(EXIT.ok), { once: true });
  });
  return Promise.race([stopped, app.ended]);
}

async function stopped(app: App, work: Promise<number>): Promise<number> {
  try {
    return await work;
  } finally {
    await app.stop(STOP_GRACE_MS);
  }
}
