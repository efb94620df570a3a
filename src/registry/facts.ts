import { ownValue } from '../lib/own-value.ts';
import { Failure } from '../model/failure.ts';
import { fetchManifest, isDigest, isIndexType, type Manifest } from './manifests.ts';
import type { OciClient } from './oci.ts';
import type { ImageReference } from './reference.ts';
import type { ImageFacts, Platform } from './registry.ts';

/** An image may stand in an index in an index in an index, and no deeper. */
const DEEPEST = 3;
/** Manifests that are read for one image. */
const MOST_READ = 12;

/** What a pull would bring for this platform, or that there is nothing for it and what there is instead. */
export async function fetchFacts(
  oci: OciClient,
  image: ImageReference,
  platform: Platform,
  signal: AbortSignal,
): Promise<ImageFacts> {
  const search: Search = {
    ...{ platform, host: image.repository.host, offers: new Set(), instead: new Set(), read: 0 },
    fetch: (reference) => fetchManifest(oci, { ...image, reference }, signal),
  };
  const hit = await find(image.reference, 0, search);
  const offers = [...search.offers].sort();
  const [instead] = search.instead;
  if (hit === null) return { sizeBytes: null, offers, ...(instead !== undefined && { instead }) };
  return { sizeBytes: hit.sizeBytes, offers, ...(hit.depth > 1 && { pullAs: hit.within }) };
}

interface Search {
  readonly fetch: (reference: string) => Promise<Manifest>;
  readonly platform: Platform;
  readonly host: string;
  readonly offers: Set<string>;
  /** Kinds of what was found for this platform and is no image. */
  readonly instead: Set<string>;
  read: number;
}

interface Hit {
  readonly sizeBytes: number;
  /** How many indexes it stands in. */
  readonly depth: number;
  /** Digest of the innermost of them; its own where it stands in none. */
  readonly within: string;
}

async function find(reference: string, depth: number, search: Search): Promise<Hit | null> {
  search.read += 1;
  const manifest = await search.fetch(reference);
  if (!manifest.isIndex) return imageIn(manifest, depth, search);
  if (depth >= DEEPEST) return null;
  const entries = readEntries(manifest, search.host, 'manifests');
  for (const offer of offersOf(entries)) search.offers.add(offer);
  for (const { digest } of inOrder(entries, search.platform)) {
    if (search.read >= MOST_READ) return null;
    const hit = await find(digest, depth + 1, search);
    if (hit !== null) return hit.depth === depth + 1 ? { ...hit, within: manifest.digest } : hit;
  }
  return null;
}

function imageIn(manifest: Manifest, depth: number, { host, instead }: Search): Hit | null {
  const layers = readEntries(manifest, host, 'layers');
  const other = otherThanImage(manifest, layers);
  if (other !== null) {
    instead.add(other);
    return null;
  }
  const { config } = manifest.json;
  const parts = isEntry(config) ? [...layers, config] : layers;
  return { sizeBytes: parts.reduce((sum, { size }) => sum + size, 0), depth, within: manifest.digest };
}

/** What engines take for the configuration of an image. */
const configTypes: readonly unknown[] = [
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
  // Of registries and tools that never say; engines take them too.
  ...['application/octet-stream', 'application/json', 'text/plain', 'text/html', '', undefined],
];
const layerTypes = /^application\/vnd\.(oci\.image\.layer|docker\.image\.rootfs)\./;

/** A chart, a signature, a bill of materials: its own word for itself. null: it is an image. */
function otherThanImage({ json }: Manifest, layers: readonly Entry[]): string | null {
  const { config, artifactType } = json as { config?: { mediaType?: unknown }; artifactType?: unknown };
  const odd = layers.find(({ mediaType }) => typeof mediaType === 'string' && !layerTypes.test(mediaType));
  if (configTypes.includes(config?.mediaType) && odd === undefined) return null;
  const said = configTypes.includes(config?.mediaType) ? odd?.mediaType : (artifactType ?? config?.mediaType);
  return String(said).slice(0, 100);
}

interface Entry {
  readonly digest: string;
  readonly size: number;
  readonly mediaType?: unknown;
  readonly platform?: { readonly os?: unknown; readonly architecture?: unknown; readonly variant?: unknown };
}

const isEntry = (value: unknown): value is Entry =>
  typeof value === 'object' &&
  value !== null &&
  isDigest((value as Entry).digest) &&
  Number.isSafeInteger((value as Entry).size);

function readEntries({ json }: Manifest, host: string, field: 'manifests' | 'layers'): readonly Entry[] {
  const list = ownValue(json, field);
  if (!Array.isArray(list)) throw new Failure('registry_answer', `${host} gives a manifest without ${field}`);
  return list.filter(isEntry);
}

/** What an engine runs beside its own architecture. */
const alsoRuns: Readonly<Record<string, string>> = { amd64: '386', arm64: 'arm' };

/**
 * As the engine chooses: the same system, its own architecture first; a variant only decides where both name one. An
 * index that names no platform comes last.
 */
function inOrder(entries: readonly Entry[], { os, architecture, variant }: Platform): readonly Entry[] {
  const of = (one: string | undefined): readonly Entry[] =>
    entries.filter(({ platform }) => platform?.os === os && platform.architecture === one);
  const own = of(architecture);
  const same = own.filter(({ platform }) => platform?.variant === variant);
  const open = entries.filter(({ platform, mediaType }) => platform == null && isIndexType(mediaType));
  return [...new Set([...same, ...own, ...of(ownValue(alsoRuns, architecture) ?? '-'), ...open])];
}

/** Attestations stand in an index as well, for a platform that is unknown. */
function offersOf(entries: readonly Entry[]): string[] {
  return entries.flatMap(({ platform }) => {
    const parts = [platform?.os, platform?.architecture, platform?.variant];
    const word = parts.filter((part) => typeof part === 'string').join('/');
    return parts.includes('unknown') || word === '' ? [] : [word];
  });
}
