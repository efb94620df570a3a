import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/lib/clock.ts';
import { openRegistry, type OpenedRegistry } from '../../../src/registry/index.ts';
import { index, manifest, serving, sha, stubRegistry } from '../../registry/stub-registry.ts';
import type { Random } from '../../support/random.ts';
import { damaged, damagedText } from '../damage.ts';
import { brokenInFailure, secretWords, type Field } from '../field.ts';
import { oddText } from '../odd.ts';

/** What one question may take until it is called off. */
const DEADLINE_MS = 400;
const platform = { os: 'linux', architecture: 'amd64' };

/** Answers of a registry and of its token server, over a real connection; and a registry beside it that is well. */
export async function registryField(): Promise<Field> {
  let answer: (asked: IncomingMessage, response: ServerResponse) => void = () => undefined;
  const server = createServer((asked, response) =>
    answer(
      asked,
      response.on('error', () => response.destroy()),
    ),
  );
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const neighbour = await stubRegistry(serving('{"well":true}'));
  const folder = await mkdtemp(join(tmpdir(), 'fuzz-registry-'));
  const dockerConfig = join(folder, 'config.json');
  return {
    name: 'registry',
    async attempt(random) {
      const [secret = ''] = secretWords(random, 1);
      const auth = Buffer.from(`me:${secret}`).toString('base64');
      await writeFile(dockerConfig, JSON.stringify({ auths: { [host]: { auth } } }));
      const script = scriptOf(random);
      answer = (asked, response) => script(asked, response);
      const registry = openRegistry({ clock: systemClock, random: () => 0.5, dockerConfig });
      try {
        const asked = askAll(registry, `${host}/a/b`, [secret, auth]);
        return [...(await asked), ...(await neighbourIn(registry, neighbour.host))];
      } finally {
        await registry.close();
      }
    },
    async close() {
      server.closeAllConnections();
      await Promise.all([new Promise((closed) => server.close(closed)), neighbour.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function askAll(
  registry: OpenedRegistry,
  image: string,
  secrets: readonly string[],
): Promise<string[]> {
  const options = { maxAgeMs: 0 };
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const found = await Promise.all([
    registry
      .tags(image, options, signal)
      .then(brokenTags, (error: unknown) => brokenInFailure(error, secrets)),
    registry
      .digestOf(`${image}:1.0.0`, options, signal)
      .then(brokenDigest, (error: unknown) => brokenInFailure(error, secrets)),
    registry.inspect(`${image}:1.0.0`, platform, options, signal).then(
      ({ sizeBytes }) => (sizeBytes === null || sizeBytes >= 0 ? [] : [`an image of ${sizeBytes} bytes`]),
      (error: unknown) => brokenInFailure(error, secrets),
    ),
  ]);
  return found.flat();
}

const brokenTags = (tags: readonly string[]): string[] =>
  tags.every((tag) => /^[\w][\w.-]{0,127}$/.test(tag))
    ? []
    : [`what is no tag: ${JSON.stringify(tags).slice(0, 200)}`];

const brokenDigest = (digest: string): string[] =>
  /^sha256:[0-9a-f]{64}$/.test(digest) ? [] : [`what is no digest: ${JSON.stringify(digest).slice(0, 200)}`];

async function neighbourIn(registry: OpenedRegistry, host: string): Promise<string[]> {
  const signal = AbortSignal.timeout(30_000);
  const digest = await registry.digestOf(`${host}/well:1`, { maxAgeMs: 0 }, signal).catch(String);
  return digest === sha('{"well":true}') ? [] : [`the registry beside it is not asked: ${digest}`];
}

/** The same answer to the same question for as long as a case lasts. */
function scriptOf(random: Random): (asked: IncomingMessage, response: ServerResponse) => void {
  const bodies = { tags: bodyOf(random, tagsOf), manifest: bodyOf(random, manifestOf) };
  const status = random.chance(0.7)
    ? 200
    : random.pick([204, 301, 304, 400, 401, 403, 404, 405, 418, 429, 500]);
  const headers = headersOf(random);
  const hangs = random.chance(0.02);
  return (asked, response) => {
    if (hangs) return;
    const body = asked.url?.includes('/tags/') === true ? bodies.tags : bodies.manifest;
    response.writeHead(asked.url?.startsWith('/token') === true ? 200 : status, headers);
    response.end(asked.method === 'HEAD' ? undefined : body);
  };
}

function headersOf(random: Random): Record<string, string> {
  const some: readonly (readonly [string, readonly string[]])[] = [
    ['content-type', [index, manifest, 'text/html', 'application/vnd.oci.artifact.manifest.v1+json', '']],
    ['docker-content-digest', [sha('x'), 'sha256:', `sha256:${'g'.repeat(64)}`]],
    [
      'www-authenticate',
      ['Bearer realm="http://[",service="a"', 'Bearer realm=x', 'Basic realm="a"', 'Bearer ', 'Digest'],
    ],
    [
      'link',
      [
        '</v2/a/b/tags/list?last=z>; rel="next"',
        '<http://[>; rel=next',
        '<https://example.invalid/>; rel="next"',
        '<>',
      ],
    ],
    ['location', ['/', 'http://[', 'https://127.0.0.1:1/']],
    ['retry-after', ['1', '-1', '1e99', 'Wed, 21 Oct 2099 07:28:00 GMT', 'soon']],
    ['etag', ['"a"', 'W/"', '']],
  ];
  const chosen = some.filter(([name]) => name === 'content-type' || random.chance(0.35));
  return Object.fromEntries(chosen.map(([name, values]) => [name, headerOf(random, values)]));
}

/** As far as a server can send it at all. */
const headerOf = (random: Random, values: readonly string[]): string =>
  (random.chance(0.85) ? random.pick(values) : oddText(random)).replace(/[^\x20-\x7e]/g, '').slice(0, 4_000);

function bodyOf(random: Random, whole: (random: Random) => unknown): string {
  const chance = random.next();
  if (chance < 0.25) return JSON.stringify(whole(random));
  if (chance < 0.85) return JSON.stringify(damaged(random, whole(random))) ?? 'null';
  return damagedText(random, JSON.stringify(whole(random)));
}

const tagsOf = (random: Random): unknown => ({
  name: 'a/b',
  tags: ['1.0.0', 'latest', oddText(random), 'v1.1.0'],
});

function manifestOf(random: Random): unknown {
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: sha('l'), size: 7 };
  const one = { digest: sha('m'), size: 9, mediaType: manifest, platform };
  if (random.chance(0.5))
    return { schemaVersion: 2, mediaType: index, manifests: [one, { ...one, platform: null }] };
  return {
    schemaVersion: 2,
    mediaType: manifest,
    config: { ...layer, digest: sha('c') },
    layers: [layer, layer],
  };
}
