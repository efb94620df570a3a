import { createHash } from 'node:crypto';
import type { OpenedEngine } from '../../examples/engine/engine.ts';

const manifestType = 'application/vnd.docker.distribution.manifest.v2+json';
const listType = 'application/vnd.docker.distribution.manifest.list.v2+json';

interface Move {
  readonly from: string;
  readonly to: string;
}

/** Lets the tag `to` stand for what `from` stands for, by the registry's own API: at once, and nothing is built. */
export async function moveTag(engine: OpenedEngine, repository: string, { from, to }: Move): Promise<void> {
  const manifests = manifestsOf(engine, repository);
  await put(`${manifests}/${to}`, manifestType, await read(`${manifests}/${from}`));
}

/** The tag `to` becomes an index that has `from` for this architecture and nothing for any other. */
export async function tagOnlyFor(
  architecture: string,
  engine: OpenedEngine,
  repository: string,
  { from, to }: Move,
): Promise<void> {
  const manifests = manifestsOf(engine, repository);
  const manifest = await read(`${manifests}/${from}`);
  const digest = `sha256:${createHash('sha256').update(manifest).digest('hex')}`;
  const platform = { os: 'linux', architecture };
  const entry = { mediaType: manifestType, digest, size: manifest.length, platform };
  const list = { schemaVersion: 2, mediaType: listType, manifests: [entry] };
  await put(`${manifests}/${to}`, listType, JSON.stringify(list));
}

const manifestsOf = ({ registryUrl }: OpenedEngine, repository: string): string =>
  `${registryUrl}/v2/${repository.split('/').slice(1).join('/')}/manifests`;

const read = async (url: string): Promise<string> =>
  (await fetch(url, { headers: { accept: manifestType } })).text();

async function put(url: string, type: string, body: string): Promise<void> {
  const { status } = await fetch(url, { method: 'PUT', headers: { 'content-type': type }, body });
  if (status !== 201) throw new Error(`the registry does not take ${url}: ${status}`);
}
