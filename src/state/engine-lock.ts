import { chmod, lstat, mkdir, readdir, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { sha256 } from '../lib/digest.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { describe, hold, isHeld, readWriter, type Locker, type Writer } from './lock.ts';
import type { WriterLock } from './state.ts';
import { inState } from './unusable.ts';

interface Engine {
  /** Where the lock lies: a folder that all who may use the engine share. */
  readonly directory: string;
  readonly engineId: string;
  readonly owner: string;
}

/**
 * The one orchestrator of an owner on an engine, whatever their state folders. It holds among all who share the folder:
 * the users, services and containers of one machine. Two machines that reach one engine over the network do not see each
 * other; there nothing but different owners keeps them apart. Otherwise as `lockWriter`.
 */
export async function lockEngine(engine: Engine, locker: Locker): Promise<Result<WriterLock, string>> {
  const { directory, engineId, owner } = engine;
  const name = `mcp-orchestration-${sha256(`${engineId}\0${owner}`).slice(0, 16)}-`;
  const folder = join(directory, `${name}${process.geteuid?.() ?? ''}`);
  const refusal = (first: string): string =>
    `${first} already runs as owner "${owner}" on this engine: stop it, or give this one its own --owner`;
  if (await inState(folder, () => isNotOurs(folder))) {
    return err(`${refusal('somebody')} (${folder} is in the way: remove it)`);
  }
  const held = await hold(folder, refusal, locker);
  if (!held.ok) return held;
  const own = alsoRemoving(held.value, folder);
  const earlier = await inState(folder, () => anotherIn(directory, { name, folder, locker }));
  if (earlier === null) return ok(own);
  await own.release();
  return err(refusal(describe(earlier)));
}

/** Makes the folder where it is missing; true when it is somebody else's, or no folder at all. */
async function isNotOurs(folder: string): Promise<boolean> {
  await mkdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  });
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== process.geteuid?.()) return true;
  await chmod(folder, 0o755);
  return false;
}

/**
 * Other users have folders of their own, which nobody but they can clean up: what counts is whether one is renewed. Of
 * two that begin at one moment the later one yields.
 */
async function anotherIn(
  directory: string,
  { name, folder, locker }: { readonly name: string; readonly folder: string; readonly locker: Locker },
): Promise<Partial<Writer> | null> {
  const others = (await readdir(directory)).filter(
    (other) => other.startsWith(name) && other !== basename(folder),
  );
  for (const other of others) {
    const path = join(directory, other);
    if (!(await isHeld(path, locker.clock))) continue;
    const writer = (await readWriter(path)) ?? {};
    const isLater = (writer.started ?? '') > locker.who.started;
    if (!isLater) return writer;
  }
  return null;
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
