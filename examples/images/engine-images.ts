import type { Readable } from 'node:stream';
import { exampleLabel } from '../engine/cleanup.ts';
import { askEngine, callEngine } from '../engine/engine-call.ts';
import type { OpenedEngine } from '../engine/engine.ts';
import { readLines } from './lines.ts';
import { digestInRegistry } from './manifests.ts';

interface BuildOrder {
  readonly reference: string;
  /** A tar with a Dockerfile at its top. */
  readonly context: Readable;
  readonly buildArguments?: Readonly<Record<string, string>>;
}

/** True when the engine has the image already. */
export async function imageExists(engine: OpenedEngine, reference: string): Promise<boolean> {
  return (await callEngine(engine.docker.socket, `/images/${reference}/json`)).status === 200;
}

/** Builds with the classic builder, which every engine has. Throws with the engine's words when a step fails. */
export async function buildImage(engine: OpenedEngine, order: BuildOrder): Promise<void> {
  const query = new URLSearchParams({
    t: order.reference,
    version: '1',
    buildargs: JSON.stringify(order.buildArguments ?? {}),
    labels: JSON.stringify({ [exampleLabel]: String(engine.registry.port) }),
  });
  const request = { method: 'POST', body: order.context, deadlineMs: 120_000 } as const;
  readLines((await askEngine(engine.docker.socket, `/build?${query.toString()}`, request)).text);
}

/** Pushes `repository:tag` and gives the digest under which the registry has it. Not every engine tells it. */
export async function pushImage(
  engine: Pick<OpenedEngine, 'docker' | 'registryUrl'>,
  repository: string,
  tag: string,
): Promise<string> {
  const path = `/images/${repository}/push?tag=${encodeURIComponent(tag)}`;
  const headers = { 'x-registry-auth': Buffer.from('{}').toString('base64') };
  const answer = await askEngine(engine.docker.socket, path, {
    method: 'POST',
    headers,
    deadlineMs: 120_000,
  });
  const digest = readLines(answer.text).find(({ aux }) => aux?.Digest !== undefined)?.aux?.Digest;
  return digest ?? digestInRegistry(engine.registryUrl, repository, tag);
}

/** Pulls `repository@digest` or `repository:tag`. */
export async function pullImage(engine: OpenedEngine, reference: string): Promise<void> {
  const path = `/images/create?fromImage=${encodeURIComponent(reference)}`;
  readLines((await askEngine(engine.docker.socket, path, { method: 'POST', deadlineMs: 120_000 })).text);
}
