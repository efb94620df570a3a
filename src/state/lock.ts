import { readFile, rm, rmdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { lock } from 'proper-lockfile';
import { writeAtomically } from '../lib/atomic-file.ts';
import type { Clock } from '../lib/clock.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { hasEnded, ownLife } from './process-life.ts';
import type { WriterLock } from './state.ts';
import { inState } from './unusable.ts';

/** Who holds a lock, for the sentence that refuses the next one. */
export interface Writer {
  readonly pid: number;
  readonly host: string;
  /** ISO 8601. */
  readonly started: string;
}

/** What is written beside a lock by who took it. */
interface Holding extends Writer {
  /** Of the process; null where the system does not tell. */
  readonly life: string | null;
  /** Which lock it took: what lies there later may be another's. */
  readonly lock: string;
}

export interface Locker {
  readonly who: Writer;
  readonly clock: Clock;
}

const UPDATE_MS = 2000;
const STALE_MS = 10_000;
const LOOK_MS = 250;
/** A lock from the future (another machine's clock) never gets stale: it counts as held. */
const MOST_LOOKS = (1.5 * STALE_MS) / LOOK_MS;

/**
 * The one writer of a state folder. Where there is another, its lock is watched: one that is renewed gives the
 * refusal (within about 2 s), one that is not is taken over: at once where its process is seen to have ended, else 10 s
 * after its last sign of life. Rejects with a `Failure` (`state_unusable`) when the folder cannot be written.
 */
export async function lockWriter(path: string, locker: Locker): Promise<Result<WriterLock, string>> {
  const folder = resolve(path);
  const refusal = (first: string): string =>
    `${first} already writes to the state folder ${folder}: stop it, or give this one its own --state`;
  return hold(folder, refusal, locker);
}

/** Holds the lock in a folder, or says in the words of `refusal` who does. */
export async function hold(
  folder: string,
  refusal: (first: string) => string,
  { who, clock }: Locker,
): Promise<Result<WriterLock, string>> {
  const signs = new Set<number | null>();
  for (let looks = 0; looks < MOST_LOOKS && signs.size < 2; looks += 1) {
    await inState(folder, () => freeIfEnded(folder));
    const held = await inState(folder, () => tryLock(folder, who));
    if (held !== null) return ok(held);
    signs.add(await lastSign(folder));
    await clock.sleep(LOOK_MS);
  }
  return err(refusal(describe(await readWriter(folder))));
}

/** null while another holds it. */
async function tryLock(folder: string, who: Writer): Promise<WriterLock | null> {
  const loss = new Loss();
  const options = { lockfilePath: join(folder, 'lock'), realpath: false, stale: STALE_MS, update: UPDATE_MS };
  const onCompromised = (error: Error): void => loss.happened(error.message);
  const unlock = await lock(folder, { ...options, onCompromised }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ELOCKED') return null;
    throw error;
  });
  if (unlock === null) return null;
  const name = join(folder, 'writer.json');
  const holding: Holding = { ...who, life: await ownLife(), lock: (await identityOf(folder)) ?? '' };
  await writeAtomically(name, `${JSON.stringify(holding)}\n`, 0o644).catch(async (error: unknown) => {
    await unlock();
    throw error;
  });
  return {
    onLost: (lost) => loss.tell(lost),
    async release() {
      // What is there now is another's.
      if (loss.why !== null) return;
      await rm(name, { force: true });
      await unlock();
    },
  };
}

/** The lock of a process that was killed is in nobody's way. */
async function freeIfEnded(folder: string): Promise<void> {
  if (!(await isOfEnded(folder))) return;
  await rmdir(join(folder, 'lock')).catch((error: unknown) => {
    // Another one that waited was quicker.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
}

async function isOfEnded(folder: string): Promise<boolean> {
  const { life, lock: taken } = ((await readWriter(folder)) ?? {}) as Partial<Holding>;
  if (typeof life !== 'string' || !(await hasEnded(life))) return false;
  return taken === (await identityOf(folder));
}

/** Numbers of files are given again; with the time of birth there is no other like it. null: no lock is there. */
async function identityOf(folder: string): Promise<string | null> {
  return stat(join(folder, 'lock'), { bigint: true }).then(
    ({ ino, birthtimeNs }) => `${ino} ${birthtimeNs}`,
    () => null,
  );
}

/** Told once, also to those who ask late. */
class Loss {
  why: string | null = null;
  #told: ((why: string) => void) | null = null;

  happened(why: string): void {
    this.why = why;
    this.#told?.(why);
  }

  tell(lost: (why: string) => void): void {
    this.#told = lost;
    if (this.why !== null) lost(this.why);
  }
}

/** Whether somebody holds the lock in a folder and renews it (seen within about 2 s); stale ones count as free. */
export async function isHeld(folder: string, clock: Clock): Promise<boolean> {
  if (await isOfEnded(folder)) return false;
  const signs = new Set<number>();
  for (let looks = 0; looks < MOST_LOOKS && signs.size < 2; looks += 1) {
    const sign = await lastSign(folder);
    if (sign === null || clock.now() - sign > STALE_MS) return false;
    signs.add(sign);
    await clock.sleep(LOOK_MS);
  }
  return true;
}

/** Unix ms of the last sign of life; null: nobody holds it. */
async function lastSign(folder: string): Promise<number | null> {
  return stat(join(folder, 'lock')).then(
    (found) => found.mtimeMs,
    () => null,
  );
}

/** Who it is, as far as it is known. */
export const describe = (writer: Partial<Writer> | null): string =>
  writer === null
    ? 'another orchestrator'
    : `another orchestrator (process ${String(writer.pid)} on ${String(writer.host)}, since ${String(writer.started)})`;

/** What the holder of the lock in a folder says of itself; null: nothing that can be read. */
export async function readWriter(folder: string): Promise<Partial<Writer> | null> {
  const text = await readFile(join(folder, 'writer.json'), 'utf8').catch(() => 'null');
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' ? found : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
