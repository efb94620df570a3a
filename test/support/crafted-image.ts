import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import type { OpenedEngine } from '../../examples/engine/engine.ts';
import { anyManifest, manifestTypes } from '../../examples/images/manifests.ts';
import { tarOf } from '../../examples/images/node-base.ts';

interface Manifest {
  readonly config: Blob;
  readonly layers: readonly Blob[];
}

interface Blob {
  readonly mediaType?: string;
  readonly size: number;
  readonly digest: string;
}

/** As the other layers of a manifest of this kind are called. */
const layerTypeIn = (manifestType: string): string =>
  manifestType === manifestTypes.manifest
    ? 'application/vnd.docker.image.rootfs.diff.tar.gzip'
    : 'application/vnd.oci.image.layer.v1.tar+gzip';

/**
 * Puts `name:version` into the registry, made of the test server's image with one more layer of random bytes: unlike what
 * an engine built or pushed itself, it has to be pulled. Gives the digest of that layer.
 */
export async function craftImage(engine: OpenedEngine, name: string, version: string): Promise<string> {
  const registry = new RawRegistry(engine.registryUrl, 'liminalcommons/the-server', `liminalcommons/${name}`);
  const { type, config, layers } = await registry.manifest('1.0.0');
  for (const { digest } of [config, ...layers]) await registry.mount(digest);
  const { tar, layer } = await randomLayer();
  const described = (await registry.blob(config.digest)) as {
    config: { Env: string[] };
    rootfs: { diff_ids: string[] };
    history: object[];
  };
  described.rootfs.diff_ids.push(digestOf(tar));
  described.history.push({ created_by: 'a random layer' });
  described.config.Env = [
    ...described.config.Env.filter((one) => !one.startsWith('VERSION=')),
    `VERSION=${version}`,
  ];
  const pushed = {
    config: await registry.push(Buffer.from(JSON.stringify(described))),
    layer: await registry.push(layer),
  };
  const made = {
    schemaVersion: 2,
    mediaType: type,
    config: { mediaType: config.mediaType, ...pushed.config },
    layers: [...layers, { mediaType: layerTypeIn(type), ...pushed.layer }],
  };
  await registry.tag(version, type, JSON.stringify(made));
  return pushed.layer.digest;
}

async function randomLayer(): Promise<{ tar: Buffer; layer: Buffer }> {
  const folder = await mkdtemp(join(tmpdir(), 'crafted-image-'));
  try {
    await writeFile(join(folder, 'payload'), randomBytes(512 * 1024));
    const tar = await buffer(tarOf(['-C', folder, 'payload']));
    return { tar, layer: gzipSync(tar) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const digestOf = (content: Buffer): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;

/** The distribution API as it is, for what no client does. */
class RawRegistry {
  readonly #base: string;
  readonly #from: string;
  readonly #to: string;

  constructor(url: string, from: string, to: string) {
    [this.#base, this.#from, this.#to] = [`${url}/v2`, from, to];
  }

  async manifest(tag: string): Promise<Manifest & { readonly type: string }> {
    const answer = await this.#ask(`${this.#from}/manifests/${tag}`, { headers: anyManifest });
    const type = answer.headers.get('content-type') ?? '';
    return { type, ...((await answer.json()) as Manifest) };
  }

  async blob(digest: string): Promise<unknown> {
    return (await this.#ask(`${this.#from}/blobs/${digest}`)).json();
  }

  async mount(digest: string): Promise<void> {
    await this.#ask(`${this.#to}/blobs/uploads/?mount=${digest}&from=${this.#from}`, { method: 'POST' });
  }

  async push(content: Buffer): Promise<{ size: number; digest: string }> {
    const digest = digestOf(content);
    const begun = await this.#ask(`${this.#to}/blobs/uploads/`, { method: 'POST' });
    const url = new URL(begun.headers.get('location') ?? '', this.#base);
    url.searchParams.set('digest', digest);
    const headers = { 'content-type': 'application/octet-stream' };
    const answer = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(content) });
    if (answer.status !== 201)
      throw new Error(`the registry took no blob: ${answer.status} ${await answer.text()}`);
    return { size: content.length, digest };
  }

  async tag(tag: string, type: string, manifest: string): Promise<void> {
    const headers = { 'content-type': type };
    await this.#ask(`${this.#to}/manifests/${tag}`, { method: 'PUT', headers, body: manifest });
  }

  async #ask(path: string, init: RequestInit = {}): Promise<Response> {
    const answer = await fetch(`${this.#base}/${path}`, init);
    if (!answer.ok)
      throw new Error(`${init.method ?? 'GET'} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }
}
