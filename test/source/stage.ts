import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { Failure } from '../../src/model/failure.ts';
import { openSource, type SourceOptions } from '../../src/source/index.ts';
import type { ManifestSource } from '../../src/source/source.ts';
import { makeRepository, type Repository, type Served } from '../support/git-remote.ts';

export const MANIFEST = 'ecosystem-manifest.yaml';

export const within = (ms = 60_000): AbortSignal => AbortSignal.timeout(ms);

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'source-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

export async function repository(): Promise<Repository> {
  const made = await makeRepository();
  onTestFinished(() => made.remove());
  return made;
}

export async function served(serving: Promise<Served>): Promise<Served> {
  const server = await serving;
  onTestFinished(() => server.close());
  return server;
}

export type Given = Partial<SourceOptions> & { readonly manifest: string; readonly cloneDirectory: string };

export function open(given: Given): Promise<ManifestSource> {
  return openSource({
    branch: null,
    path: MANIFEST,
    tokenFile: null,
    sshKey: null,
    environment: { PATH: process.env['PATH'], HOME: given.cloneDirectory },
    clock: systemClock,
    log: silentLog,
    ...given,
  });
}

export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const outcome = await promise.catch((error: unknown) => error);
  if (outcome instanceof Failure) return outcome;
  throw new Error(`expected a Failure, got ${String(outcome)}`);
}

export const textOf = (snapshot: { readonly content: Uint8Array } | null): string =>
  Buffer.from(snapshot?.content ?? []).toString();
