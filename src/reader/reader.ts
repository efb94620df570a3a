import { Worker } from 'node:worker_threads';
import { systemClock } from '../lib/clock.ts';
import { err, type Result } from '../lib/result.ts';
import { Failure } from '../model/failure.ts';
import type { NewVersion } from '../manifest/raise.ts';
import { unread } from '../manifest/read.ts';
import type { ManifestText, ReadResult } from '../manifest/read.ts';

/** Reading is given up after this (contracts section 2): a manifest must not hold up the health of what runs. */
const READ_DEADLINE_MS = 5_000;

const TOO_LONG = `takes longer than ${READ_DEADLINE_MS / 1000} s to read`;

/** A parser that needs more than this is being attacked. */
const MEMORY_MB = 512;

/** A thread that has not even begun by then tells nothing of the manifest: the machine is too busy. */
const BEGIN_DEADLINE_MS = 60_000;

/** What a thread is begun for: to read a manifest, or to raise a version in it. */
export interface Job {
  readonly text: ManifestText;
  readonly raise: NewVersion | null;
}

/**
 * Reads a manifest in a thread of its own. A text that takes longer than 5 s, or more memory than it may, is refused
 * like any other that cannot be read; the time that the thread itself needs to begin does not count. Rejects with the
 * signal's reason when `signal` aborts, unless that is a timeout.
 */
export function readOffThread(input: ManifestText, signal: AbortSignal): Promise<ReadResult> {
  const advice = 'Make it smaller and simpler: fewer keys in one mapping, no aliases, less nesting.';
  return inThread<ReadResult>({ text: input, raise: null }, signal, (message) =>
    err(unread(input.file, message, advice)),
  );
}

/** As `raiseVersion`, in a thread of its own and within the same limits. */
export function raiseOffThread(
  text: ManifestText,
  raise: NewVersion,
  signal: AbortSignal,
): Promise<Result<Uint8Array, string>> {
  return inThread({ text, raise }, signal, (message) => err(`the manifest ${message}`));
}

async function inThread<T>(job: Job, signal: AbortSignal, tooMuch: (message: string) => T): Promise<T> {
  const worker = new Worker(entry, { resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB } });
  try {
    await begun(worker, systemClock.deadline(BEGIN_DEADLINE_MS, signal));
    const answer = answerOf<T>(worker, systemClock.deadline(READ_DEADLINE_MS, signal));
    worker.postMessage(job);
    return await answer;
  } catch (error) {
    if (error instanceof TooMuch) return tooMuch(error.message);
    throw error;
  } finally {
    await worker.terminate();
  }
}

/** More time or memory than a manifest may take. */
class TooMuch extends Error {}

function begun(worker: Worker, deadline: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
    const giveUp = (): void => reject(isTimeout(deadline.reason) ? tooBusy() : (deadline.reason as Error));
    if (deadline.aborted) giveUp();
    else deadline.addEventListener('abort', giveUp, { once: true });
  });
}

const tooBusy = (): Failure =>
  new Failure('source_unusable', 'the machine is too busy to read the manifest', {
    suggestedAction: 'It is read again at the next look.',
  });

function answerOf<T>(worker: Worker, deadline: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    worker.once('message', (answer: T) => resolve(answer));
    worker.once('error', (error: Error & { code?: string }) => {
      const outOfMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      reject(outOfMemory ? new TooMuch('needs too much memory to read') : error);
    });
    const giveUp = (): void =>
      reject(isTimeout(deadline.reason) ? new TooMuch(TOO_LONG) : (deadline.reason as Error));
    if (deadline.aborted) giveUp();
    else deadline.addEventListener('abort', giveUp, { once: true });
  });
}

const isTimeout = (reason: unknown): boolean => reason instanceof Error && reason.name === 'TimeoutError';

/** The sources are TypeScript and the build is not: the thread runs whatever we run. */
const entry = new URL(
  import.meta.url.endsWith('.ts') ? './worker-from-source.js' : './worker.js',
  import.meta.url,
);
