import type { OpenedEngine } from '../../examples/engine/engine.ts';

const type = 'application/vnd.docker.distribution.manifest.v2+json';

/** Lets the tag `to` stand for what `from` stands for, by the registry's own API: at once, and nothing is built. */
export async function moveTag(
  engine: OpenedEngine,
  repository: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  const name = repository.split('/').slice(1).join('/');
  const manifests = `${engine.registryUrl}/v2/${name}/manifests`;
  const manifest = await fetch(`${manifests}/${from}`, { headers: { accept: type } });
  const put = { method: 'PUT', headers: { 'content-type': type }, body: await manifest.text() };
  const { status } = await fetch(`${manifests}/${to}`, put);
  if (status !== 201) throw new Error(`the registry does not move ${to} to ${from}: ${status}`);
}
