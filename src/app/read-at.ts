import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../lib/log.ts';
import type { DesiredState } from '../model/desired.ts';
import { openSource } from '../source/index.ts';
import { LONGEST_READ_MS, type ManifestSource } from '../source/source.ts';
import type { AppIo } from './app.ts';
import { EXIT, StartError, type Config } from './config.ts';
import { openPolicy } from './policy.ts';
import { readDesiredBy } from './read-desired.ts';

type SourceConfig = Pick<
  Config,
  'manifest' | 'branch' | 'path' | 'gitTokenFile' | 'sshKey' | 'policy' | 'trust'
>;

/** Opens the source at a commit (`at`; null: as `run` would read it), with a clone that is gone afterwards. */
export async function withSource<T>(
  config: SourceConfig,
  at: string | null,
  io: AppIo,
  use: (source: ManifestSource) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-orchestration-plan-'));
  try {
    const places = {
      cloneDirectory: join(folder, 'source'),
      environment: io.env,
      clock: io.clock,
      log: silentLog,
    };
    return await use(await openSource({ ...config, at, tokenFile: config.gitTokenFile, ...places }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The manifest at a commit, by itself. Rejects with a `StartError` when it is refused. */
export async function readAt(config: SourceConfig, at: string | null, io: AppIo): Promise<DesiredState> {
  const policy = await openPolicy(config);
  return withSource(config, at, io, async (source) => {
    const snapshot = await source.read(null, io.clock.deadline(LONGEST_READ_MS, io.signal));
    if (snapshot === null) throw new StartError(EXIT.notAsDesired, `${source.address} has no manifest`);
    const text = { ...snapshot, source: source.address };
    const trace = (ofManifest: string | null): string => snapshot.commit?.traceId ?? ofManifest ?? 'plan';
    const read = await readDesiredBy(policy)(text, trace);
    if (!read.ok) throw new StartError(EXIT.refused, read.error.error);
    return read.value;
  });
}

/** What a change is compared with. A base that is refused is nobody's fault who mends it: `problem` says why, and it is null. */
export async function readBase(
  config: SourceConfig,
  base: string,
  io: AppIo,
): Promise<
  | { readonly desired: DesiredState; readonly problem: null }
  | { readonly desired: null; readonly problem: string }
> {
  try {
    return { desired: await readAt(config, base, io), problem: null };
  } catch (error) {
    if (!(error instanceof StartError) || error.exitCode !== EXIT.refused) throw error;
    return { desired: null, problem: error.message };
  }
}
