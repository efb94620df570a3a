import { openApp, type App, type AppIo } from '../app/app.ts';
import { EXIT } from '../app/config.ts';
import { explain } from './begin.ts';
import { defineCommand, type Io } from './command.ts';
import { durationOrNone, flag } from './options.ts';
import type { LogLevel } from '../lib/log.ts';
import { outcomeTable } from './outcome.ts';
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
  arguments: {},
  options: {
    ...sourceOptions,
    ...runOptions,
    ...stateOption,
    ...engineOptions,
    ...policyOptions,
    ...logOptions,
    once: flag('settle, print the outcome of every server, and exit'),
    timeout: durationOrNone('with --once: give up after this time (default 5m)'),
  },
  async run({ once, timeout, ...config }, io): Promise<number> {
    try {
      const app = await openApp(config, { ...io, ...logFor(config, io) });
      io.onHangup?.(() => app.poll());
      return await (once ? settleOnce(app, (timeout ?? 300) * 1_000, io) : untilStopped(app, io));
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
  try {
    return await Promise.race([stopped, app.ended]);
  } finally {
    await app.stop(STOP_GRACE_MS);
  }
}

async function settleOnce(app: App, timeoutMs: number, io: Io): Promise<number> {
  const giveUp = io.clock.deadline(timeoutMs, io.signal);
  const late = new Promise<'late'>((resolve) =>
    giveUp.addEventListener('abort', () => resolve('late'), { once: true }),
  );
  try {
    const outcome = await Promise.race([app.refused(giveUp), app.settled(), app.ended, late]);
    if (outcome !== 'late' && 'refusal' in outcome) {
      io.stderr.write(`${outcome.refusal}\n`);
      return EXIT.refused;
    }
    io.stdout.write(outcomeTable(app.view(), io));
    if (outcome === 'late') io.stderr.write(`not settled after ${timeoutMs / 1_000} s${whyLate(app)}\n`);
    return outcome !== 'late' && outcome.outcome === 'applied' ? EXIT.ok : EXIT.notAsDesired;
  } finally {
    await app.stop(STOP_GRACE_MS);
  }
}

const whyLate = (app: App): string => (app.sourceError() === null ? '' : `: ${app.sourceError() ?? ''}`);
