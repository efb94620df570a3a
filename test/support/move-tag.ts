import { createHash } from 'node:crypto';
import type { OpenedEngine } from '../../examples/engine/engine.ts';
import { anyManifest, manifestTypes } from '../../examples/images/manifests.ts';

interface Move {
  readonly from: string;
  readonly to: string;
}

/** Lets the tag `to` stand for what `from` stands for, by the registry's own API: at once, and nothing is built. */
export async function moveTag(engine: OpenedEngine, repository: string, { from, to }: Move): Promise<void> {
  const manifests = manifestsOf(engine, repository);
  await put(`${manifests}/${to}`, await read(`${manifests}/${from}`));
}

/** The tag `to` becomes an index that has `from` for this architecture and nothing for any other. */
export async function tagOnlyFor(
  architecture: string,
  engine: OpenedEngine,
  repository: string,
  { from, to }: Move,
): Promise<void> {
  const manifests = manifestsOf(engine, repository);
  const { type, body } = await read(`${manifests}/${from}`);
  const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
  const platform = { os: 'linux', architecture };
  const entry = { mediaType: type, digest, size: body.length, platform };
  const list = type === manifestTypes.manifest ? manifestTypes.list : manifestTypes.ociIndex;
  const index = { schemaVersion: 2, mediaType: list, manifests: [entry] };
  await put(`${manifests}/${to}`, { type: list, body: JSON.stringify(index) });
}

const manifestsOf = ({ registryUrl }: OpenedEngine, repository: string): string =>
  `${registryUrl}/v2/${repository.split('/').slice(1).join('/')}/manifests`;

interface Manifest {
  readonly type: string;
  readonly body: string;
}

async function read(url: string): Promise<Manifest> {
  const answer = await fetch(url, { headers: anyManifest });
  return { type: answer.headers.get('content-type') ?? '', body: await answer.text() };
}

async function put(url: string, { type, body }: Manifest): Promise<void> {
  const { status } = await fetch(url, { method: 'PUT', headers: { 'content-type': type }, body });
  if (status !== 201) throw new Error(`the registry does not take ${url}: ${status}`);
}
