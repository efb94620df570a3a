import { createHash } from 'node:crypto';
import { Failure } from '../model/failure.ts';
import type { Tagged } from './cache.ts';
import type { OciClient } from './oci.ts';
import type { ImageReference } from './reference.ts';
import type { ImageFacts, Platform } from './registry.ts';
import { parseJson } from './token.ts';
import type { Reply } from './transport.ts';

const indexTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const accept = [...indexTypes, ...manifestTypes].join(', ');

/** The digest behind a tag by HEAD, or by GET where a registry does not know HEAD or does not name the digest. */
export async function fetchDigest(
  oci: OciClient,
  { repository, reference }: ImageReference,
  known: Tagged<string> | null,
  signal: AbortSignal,
): Promise<Tagged<string>> {
  const condition = known?.etag == null ? {} : { 'if-none-match': known.etag };
  const question = { path: `manifests/${reference}`, headers: { accept, ...condition } };
  const head = await oci.ask(repository, { method: 'HEAD', ...question }, signal);
  if (head.status === 304 && known !== null) return known;
  const digest = head.status === 200 ? digestHeader(head) : null;
  if (digest !== null) return { value: digest, etag: head.headers['etag'] ?? null };
  const reply = await oci.ask(
    repository,
    { method: 'GET', path: question.path, headers: { accept } },
    signal,
  );
  if (reply.status !== 200) throw answer(`${repository.host} answers ${reply.status} to ${repository.name}`);
  return { value: digestOfManifest(reply, repository.host), etag: reply.headers['etag'] ?? null };
}

/** What a pull would bring for this platform. Rejects with `image_not_found` when the image has nothing for it. */
export async function fetchFacts(
  oci: OciClient,
  image: ImageReference,
  platform: Platform,
  signal: AbortSignal,
): Promise<ImageFacts> {
  const get = async (path: string) =>
    oci.ask(image.repository, { method: 'GET', path, headers: { accept } }, signal);
  const { host } = image.repository;
  const top = await get(`manifests/${image.reference}`);
  const digest = digestOfManifest(top, host);
  const chosen = isIndex(top) ? choose(readEntries(top, host, 'manifests'), platform, image) : digest;
  const manifest = chosen === digest ? top : await get(`manifests/${chosen}`);
  const platformDigest = digestOfManifest(manifest, host);
  if (platformDigest !== chosen)
    throw answer(`${host} gives ${platformDigest} where ${chosen} was asked for`);
  const { config } = parseJson(manifest.body, host);
  const parts = [...readEntries(manifest, host, 'layers'), ...(isEntry(config) ? [config] : [])];
  return { digest, platformDigest, sizeBytes: parts.reduce((sum, { size }) => sum + size, 0) };
}

interface Entry {
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os?: unknown; readonly architecture?: unknown; readonly variant?: unknown };
}

const isDigest = (text: unknown): text is string =>
  typeof text === 'string' && /^sha256:[0-9a-f]{64}$/.test(text);

const isEntry = (value: unknown): value is Entry =>
  typeof value === 'object' &&
  value !== null &&
  isDigest((value as Entry).digest) &&
  Number.isSafeInteger((value as Entry).size);

const isIndex = ({ headers }: Reply): boolean => indexTypes.includes(mediaTypeOf(headers));

const mediaTypeOf = (headers: Reply['headers']): string =>
  (headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';

function readEntries({ body }: Reply, host: string, field: 'manifests' | 'layers'): readonly Entry[] {
  const list = parseJson(body, host)[field];
  if (!Array.isArray(list)) throw answer(`${host} gives a manifest without ${field}`);
  return list.filter(isEntry);
}

/** As the engine chooses: same system and architecture; a variant only decides where both name one. */
function choose(entries: readonly Entry[], wanted: Platform, { repository }: ImageReference): string {
  const fits = entries.filter(
    ({ platform }) => platform?.os === wanted.os && platform.architecture === wanted.architecture,
  );
  const chosen = fits.find(({ platform }) => platform?.variant === wanted.variant) ?? fits[0];
  if (chosen !== undefined) return chosen.digest;
  const words = [wanted.os, wanted.architecture, wanted.variant]
    .filter((word) => word !== undefined)
    .join('/');
  throw new Failure('image_not_found', `${repository.host}/${repository.name} has nothing for ${words}`, {
    class: 'version',
    suggestedAction: `publish the image for ${words}`,
  });
}

function digestHeader({ headers }: Reply): string | null {
  const digest = headers['docker-content-digest'];
  return isDigest(digest) && [...indexTypes, ...manifestTypes].includes(mediaTypeOf(headers)) ? digest : null;
}

/** Of the bytes themselves: no header is believed where they are at hand. */
function digestOfManifest(reply: Reply, host: string): string {
  const type = mediaTypeOf(reply.headers);
  if (![...indexTypes, ...manifestTypes].includes(type)) {
    throw answer(
      `${host} gives a manifest of the kind "${type.slice(0, 100)}", which no engine of today runs`,
    );
  }
  return `sha256:${createHash('sha256').update(reply.body).digest('hex')}`;
}

const answer = (message: string): Failure => new Failure('registry_answer', message);
