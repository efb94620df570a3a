import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { OpenedEngine } from '../../examples/engine/engine.ts';
import { cert, key } from '../status/certificate.ts';

const imageType = 'application/vnd.docker.distribution.manifest.v2+json';
const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';

/** The tag becomes an index that has an index that has the image of this tag. */
export async function tagNested(engine: OpenedEngine, name: string, tag: string): Promise<void> {
  const url = `${engine.registryUrl}/v2/liminalcommons/${name}/manifests`;
  const image = await (await fetch(`${url}/${tag}`, { headers: { accept: imageType } })).text();
  const platform = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };
  const inner = indexOf({ mediaType: imageType, platform, ...named(image) });
  await put(`${url}/${named(inner).digest}`, indexType, inner);
  await put(`${url}/${tag}`, indexType, indexOf({ mediaType: indexType, ...named(inner) }));
}

/** The tag becomes a chart. */
export async function tagChart(engine: OpenedEngine, name: string, tag: string): Promise<void> {
  const repository = `${engine.registryUrl}/v2/liminalcommons/${name}`;
  const parts = await Promise.all(['{"name":"chart"}', 'a chart'].map((text) => push(repository, text)));
  const [config, layer] = parts.map((part, at) => ({
    mediaType: `application/vnd.cncf.helm.${at === 0 ? 'config.v1+json' : 'chart.content.v1.tar+gzip'}`,
    ...part,
  }));
  const chart = { schemaVersion: 2, mediaType: manifestType, config, layers: [layer] };
  await put(`${repository}/manifests/${tag}`, manifestType, JSON.stringify(chart));
}

/**
 * A front with TLS that nobody signed. It answers our HEAD of a manifest with 404, and gives the tags one by one with
 * links that lack the folder of its virtual repository `hub/`.
 */
export async function oddFront(port: number): Promise<{ host: string; close(): Promise<void> }> {
  const server = createServer({ cert, key }, (asked, answer) => {
    const isOurs = asked.headers['user-agent'] === 'mcp-orchestration';
    const { pathname, searchParams } = new URL(
      (asked.url ?? '').replace('/v2/hub/', '/v2/'),
      'https://front',
    );
    if (isOurs && asked.method === 'HEAD') return void answer.writeHead(404).end();
    if (pathname.endsWith('/tags/list')) searchParams.set('n', '1');
    const path = `${pathname}?${searchParams.toString()}`;
    const headers = { ...asked.headers, 'x-forwarded-proto': 'https' };
    const there = { host: '127.0.0.1', port, method: asked.method, path, headers, agent: false };
    const behind = request(there, (from) => {
      answer.writeHead(from.statusCode ?? 502, from.headers);
      from.pipe(answer);
    });
    behind.on('error', () => answer.destroy());
    asked.pipe(behind);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

const named = (text: string): { digest: string; size: number } => ({
  digest: `sha256:${createHash('sha256').update(text).digest('hex')}`,
  size: Buffer.byteLength(text),
});

const indexOf = (entry: object): string =>
  JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [entry] });

async function push(repository: string, text: string): Promise<{ digest: string; size: number }> {
  const begun = await fetch(`${repository}/blobs/uploads/`, { method: 'POST' });
  const url = new URL(begun.headers.get('location') ?? '', repository);
  url.searchParams.set('digest', named(text).digest);
  await put(url.href, 'application/octet-stream', text);
  return named(text);
}

async function put(url: string, type: string, body: string): Promise<void> {
  const { status } = await fetch(url, { method: 'PUT', headers: { 'content-type': type }, body });
  if (status !== 201) throw new Error(`the registry does not take ${url}: ${status}`);
}
