import { chmod, lstat, mkdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { lock } from 'proper-lockfile';
import { writeAtomically } from '../lib/atomic-file.ts';
import type { Clock } from '../lib/clock.ts';
import { sha256 } from '../lib/digest.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { WriterLock } from './state.ts';
import { inState } from './unusable.ts';

/** Who holds a lock, for the sentence that refuses the next one. */
export interface Writer {
  readonly pid: number;
  readonly host: string;
  /** ISO 8601. */
  readonly started: string;
}

interface Locker {
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
 * refusal (within about 2 s), one that is not is taken over (10 s after its last sign of life). Rejects with a
 * `Failure` (`state_unusable`) when the folder cannot be written.
 */
export async function lockWriter(path: string, locker: Locker): Promise<Result<WriterLock, string>> {
  const folder = resolve(path);
  const refusal = (first: string): string =>
    `${first} already writes to the state folder ${folder}: stop it, or give this one its own --state`;
  return hold(folder, refusal, locker);
}

interface Engine {
  /** Where the lock lies; the temporary folder of the system (`os.tmpdir()`). */
  readonly directory: string;
  readonly engineId: string;
  readonly owner: string;
}

/**
 * The one orchestrator of an owner on an engine, whatever their state folders. It is a folder in the system's
 * temporary folder, so it holds among all who share that: the users of one machine. Two containers with a `/tmp`
 * each, or two machines that reach one engine over the network, do not see each other; there nothing but
 * different owners keeps them apart. Otherwise as `lockWriter`.
 */
export async function lockEngine(engine: Engine, locker: Locker): Promise<Result<WriterLock, string>> {
  const name = `mcp-orchestration-${sha256(`${engine.engineId}\0${engine.owner}`).slice(0, 16)}`;
  const folder = join(engine.directory, name);
  const refusal = (first: string): string =>
    `${first} already runs as owner "${engine.owner}" on this engine: stop it, or give this one its own --owner`;
  const stranger = await inState(folder, () => claim(folder));
  if (stranger) {
    const first = describe(await readWriter(folder));
    return err(`${refusal(first)} (if it is gone, its user has to remove ${folder})`);
  }
  const held = await hold(folder, refusal, locker);
  return held.ok ? ok(alsoRemoving(held.value, folder)) : held;
}

/** Makes the folder ours; true when it is somebody else's, or no folder at all. */
async function claim(folder: string): Promise<boolean> {
  await mkdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  });
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== process.geteuid?.()) return true;
  await chmod(folder, 0o755);
  return false;
}

/** Others may run as other users: an empty folder of ours would be in their way. */
function alsoRemoving(held: WriterLock, folder: string): WriterLock {
  return {
    onLost: (lost) => held.onLost(lost),
    async release() {
      await held.release();
      await rmdir(folder).catch((error: unknown) => {
        const { code } = error as NodeJS.ErrnoException;
        // The next one may be in it already.
        if (code !== 'ENOTEMPTY' && code !== 'ENOENT') throw error;
      });
    },
  };
}

async function hold(
  folder: string,
  refusal: (first: string) => string,
  { who, clock }: Locker,
): Promise<Result<WriterLock, string>> {
  const signs = new Set<number | null>();
  for (let looks = 0; looks < MOST_LOOKS && signs.size < 2; looks += 1) {
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
  await writeAtomically(name, `${JSON.stringify(who)}\n`, 0o644).catch(async (error: unknown) => {
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

async function lastSign(folder: string): Promise<number | null> {
  return stat(join(folder, 'lock')).then(
    (found) => found.mtimeMs,
    () => null,
  );
}

const describe = (writer: Partial<Writer> | null): string =>
  writer === null
    ? 'another orchestrator'
    : `another orchestrator (process ${String(writer.pid)} on ${String(writer.host)}, since ${String(writer.started)})`;

async function readWriter(folder: string): Promise<Partial<Writer> | null> {
  const text = await readFile(join(folder, 'writer.json'), 'utf8').catch(() => 'null');
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' ? found : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
