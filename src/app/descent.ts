import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLog } from '../lib/log.ts';
import { openSource } from '../source/index.ts';
import type { AppIo } from './app.ts';

const ASK_MS = 10_000;

/**
 * Whether `to` descends from `from`, as far as this machine can tell: of the repository itself where it lies here, else of
 * the orchestrator's clone in its state folder. Reads only, and asks no remote.
 */
export async function descends(
  asked: { readonly from: string; readonly to: string; readonly source: string; readonly state: string },
  io: Pick<AppIo, 'env' | 'clock' | 'signal'>,
): Promise<boolean> {
  const itself = asked.source.slice(0, asked.source.lastIndexOf('#'));
  const clone = join(asked.state, 'source', 'repository.git');
  const manifest = (await isThere(itself)) ? itself : (await isThere(clone)) ? clone : null;
  if (manifest === null) return false;
  const source = await openSource({
    ...{ manifest, branch: null, path: 'ecosystem-manifest.yaml', tokenFile: null, sshKey: null },
    ...{ cloneDirectory: clone, environment: io.env, clock: io.clock, log: silentLog },
  });
  return (await source.descends?.(asked.from, asked.to, io.clock.deadline(ASK_MS, io.signal))) ?? false;
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
