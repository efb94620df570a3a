import { createHash } from 'node:crypto';
import { Failure } from '../model/failure.ts';
import type { Tagged } from './cache.ts';
import type { OciClient } from './oci.ts';
import type { ImageReference } from './reference.ts';
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
const knownTypes = [...indexTypes, ...manifestTypes];
const accept = knownTypes.join(', ');

/** A manifest of any kind, or an index. */
export interface Manifest {
  /** Of its bytes. */
  readonly digest: string;
  readonly isIndex: boolean;
  readonly json: Readonly<Record<string, unknown>>;
}

/** The digest behind a tag by HEAD. GET decides where HEAD does not give it: some registries answer HEAD with 404 or 405. */
export async function fetchDigest(
  oci: OciClient,
  image: ImageReference,
  known: Tagged<string> | null,
  signal: AbortSignal,
): Promise<Tagged<string>> {
  const { repository, reference } = image;
  const condition = known?.etag == null ? {} : { 'if-none-match': known.etag };
  const question = { path: `manifests/${reference}`, headers: { accept, ...condition } };
  const head = await oci.ask(repository, { method: 'HEAD', ...question }, signal);
  if (head.status === 304 && known !== null) return known;
  const digest = head.status === 200 ? digestHeader(head) : null;
  if (digest !== null) return { value: digest, etag: head.headers['etag'] ?? null };
  const reply = await get(oci, image, signal);
  return { value: digestOf(reply, repository.host), etag: reply.headers['etag'] ?? null };
}

/** The bytes behind a digest have to be those that it names. Rejects with `registry_answer` where they are not. */
export async function fetchManifest(
  oci: OciClient,
  image: ImageReference,
  signal: AbortSignal,
): Promise<Manifest> {
  const { host } = image.repository;
  const reply = await get(oci, image, signal);
  const digest = digestOf(reply, host);
  if (isDigest(image.reference) && digest !== image.reference)
    throw answer(`${host} gives ${digest} where ${image.reference} was asked for`);
  return {
    digest,
    isIndex: indexTypes.includes(mediaTypeOf(reply.headers)),
    json: parseJson(reply.body, host),
  };
}

export const isIndexType = (type: unknown): boolean => typeof type === 'string' && indexTypes.includes(type);

export const isDigest = (text: unknown): text is string =>
  typeof text === 'string' && /^sha256:[0-9a-f]{64}$/.test(text);

async function get(
  oci: OciClient,
  { repository, reference }: ImageReference,
  signal: AbortSignal,
): Promise<Reply> {
  const question = { method: 'GET', path: `manifests/${reference}`, headers: { accept } } as const;
  const reply = await oci.ask(repository, question, signal);
  if (reply.status !== 200) throw answer(`${repository.host} answers ${reply.status} to ${repository.name}`);
  return reply;
}

const mediaTypeOf = (headers: Reply['headers']): string =>
  (headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';

function digestHeader({ headers }: Reply): string | null {
  const digest = headers['docker-content-digest'];
  return isDigest(digest) && knownTypes.includes(mediaTypeOf(headers)) ? digest : null;
}

/** Of the bytes themselves: no header is believed where they are at hand. */
function digestOf(reply: Reply, host: string): string {
  const type = mediaTypeOf(reply.headers);
  if (!knownTypes.includes(type)) {
    throw answer(
      `${host} gives a manifest of the kind "${type.slice(0, 100)}", which no engine of today runs`,
    );
  }
  return `sha256:${createHash('sha256').update(reply.body).digest('hex')}`;
}

const answer = (message: string): Failure => new Failure('registry_answer', message);
