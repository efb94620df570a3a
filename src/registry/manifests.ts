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

/** What a pull would bring for this platform, or that there is nothing for it. */
export async function fetchFacts(
  oci: OciClient,
  image: ImageReference,
  platform: Platform,
  signal: AbortSignal,
): Promise<ImageFacts> {
  const top = await fetchManifest(oci, image, signal);
  const { host } = image.repository;
  if (!isIndex(top)) return { sizeBytes: sizeOf(top, host), offers: [] };
  const entries = readEntries(top, host, 'manifests');
  const chosen = choose(entries, platform);
  const offers = offersOf(entries);
  if (chosen === null) return { sizeBytes: null, offers };
  const manifest = await fetchManifest(oci, { ...image, reference: chosen }, signal);
  return { sizeBytes: sizeOf(manifest, host), offers };
}

/** The bytes behind a digest have to be those that it names. */
async function fetchManifest(
  oci: OciClient,
  { repository, reference }: ImageReference,
  signal: AbortSignal,
): Promise<Reply> {
  const question = { method: 'GET', path: `manifests/${reference}`, headers: { accept } } as const;
  const reply = await oci.ask(repository, question, signal);
  const digest = digestOfManifest(reply, repository.host);
  if (isDigest(reference) && digest !== reference)
    throw answer(`${repository.host} gives ${digest} where ${reference} was asked for`);
  return reply;
}

function sizeOf(manifest: Reply, host: string): number {
  const { config } = parseJson(manifest.body, host);
  const parts = [...readEntries(manifest, host, 'layers'), ...(isEntry(config) ? [config] : [])];
  return parts.reduce((sum, { size }) => sum + size, 0);
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

/** What an engine runs beside its own architecture. */
const alsoRuns: Readonly<Record<string, string>> = { amd64: '386', arm64: 'arm' };

/** As the engine chooses: the same system, its own architecture first; a variant only decides where both name one. */
function choose(entries: readonly Entry[], { os, architecture, variant }: Platform): string | null {
  const of = (one: string | undefined): readonly Entry[] =>
    entries.filter(({ platform }) => platform?.os === os && platform.architecture === one);
  const own = of(architecture);
  const same = own.find(({ platform }) => platform?.variant === variant);
  return (same ?? own[0] ?? of(alsoRuns[architecture] ?? '-')[0])?.digest ?? null;
}

/** Attestations stand in an index as well, for a platform that is unknown. */
function offersOf(entries: readonly Entry[]): string[] {
  const words = entries.flatMap(({ platform }) => {
    const parts = [platform?.os, platform?.architecture, platform?.variant];
    return parts.includes('unknown') ? [] : [parts.filter((part) => typeof part === 'string').join('/')];
  });
  return [...new Set(words)].filter((word) => word !== '').sort();
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
