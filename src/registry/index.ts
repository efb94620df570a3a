import type { Clock } from '../lib/clock.ts';
import { Failure } from '../model/failure.ts';
import { usualLimits, type BudgetLimits } from './budget.ts';
import { Cache } from './cache.ts';
import { readCredentials, toPullAuth, type Login, type PullAuth } from './credentials.ts';
import { fetchFacts } from './facts.ts';
import { fetchDigest } from './manifests.ts';
import { OciClient } from './oci.ts';
import { STANDARD_FOLDERS } from './certificates.ts';
import type { Environment } from './proxy.ts';
import type { Reached } from './reached.ts';
import { parseImage, parseRepository } from './reference.ts';
import { Routes, type InsecureRegistries } from './route.ts';
import type { ImageFacts, Platform, Registry } from './registry.ts';
import { fetchTags } from './tags.ts';

export interface RegistryOptions {
  readonly clock: Clock;
  /** 0 up to 1; spreads checks and pauses. */
  readonly random: () => number;
  /** Docker's config.json; null: never any credentials. */
  readonly dockerConfig: string | null;
  readonly limits?: BudgetLimits;
  /** Where proxies and certificates are named; nowhere by default. */
  readonly env?: Environment;
  /** Folders of certificates by host; Docker's own by default. */
  readonly certificateFolders?: readonly string[];
  /** What the engine was told of registries that need no TLS; nothing by default. */
  readonly insecure?: (signal: AbortSignal) => Promise<InsecureRegistries>;
}

export interface OpenedRegistry extends Registry {
  /** What the engine needs to pull this repository by itself; null: nothing. Rejects with `registry_denied`. */
  authFor(repository: string): Promise<PullAuth | null>;
  /** How the registry of this repository is reached. Rejects with a `Failure`. */
  reach(repository: string, signal: AbortSignal): Promise<Reached>;
  close(): Promise<void>;
}

export { parseRepository } from './reference.ts';
export type { Reached } from './reached.ts';

/** All pages of one list, or all manifests of one image. */
const LOOK_LIMIT_MS = 60_000;

export function openRegistry(options: RegistryOptions): OpenedRegistry {
  const { clock, random, dockerConfig } = options;
  const loginTo = (host: string) => readCredentials(dockerConfig, host);
  const oci = ociOf(options, loginTo);
  const digests = new Cache<string>(clock, random);
  const lists = new Cache<readonly string[]>(clock, random);
  const facts = new Cache<ImageFacts>(clock, random);
  // A look is shared: it ends at its own deadline, not when one of those who wait for it goes away.
  const deadline = (signal?: AbortSignal) => clock.deadline(LOOK_LIMIT_MS, signal);
  const shared = <T>(look: Promise<T>, signal: AbortSignal) => orCalledOff(look, deadline(signal));

  return {
    async digestOf(name, { maxAgeMs }, signal) {
      const image = parseImage(name);
      if (image.reference.startsWith('sha256:')) return image.reference;
      return shared(
        digests.get(name, maxAgeMs, (known) => fetchDigest(oci, image, known, deadline())),
        signal,
      );
    },
    async tags(name, { maxAgeMs }, signal) {
      const repository = parseRepository(name);
      return shared(
        lists.get(name, maxAgeMs, (known) => fetchTags(oci, repository, known, deadline())),
        signal,
      );
    },
    async inspect(name, platform, { maxAgeMs }, signal) {
      const look = async () => ({
        value: await fetchFacts(oci, parseImage(name), platform, deadline()),
        etag: null,
      });
      return shared(facts.get(`${name} ${wordsOf(platform)}`, maxAgeMs, look), signal);
    },
    authFor: async (name) => pullAuthFrom(parseRepository(name).host, loginTo),
    reach: (name, signal) => oci.reach(parseRepository(name), signal),
    close: () => oci.close(),
  };
}

async function pullAuthFrom(
  host: string,
  loginTo: (host: string) => Promise<Login>,
): Promise<PullAuth | null> {
  const { credentials } = await loginTo(host);
  return credentials === null ? null : toPullAuth(credentials, host);
}

function ociOf(options: RegistryOptions, loginTo: (host: string) => Promise<Login>): OciClient {
  const { clock, random, limits = usualLimits } = options;
  return new OciClient({ clock, random, limits, routes: routesOf(options), loginTo });
}

const routesOf = ({ clock, env = {}, certificateFolders, insecure }: RegistryOptions): Routes =>
  new Routes({
    ...{ clock, env, certificateFolders: certificateFolders ?? STANDARD_FOLDERS },
    insecure: insecure ?? (() => Promise.resolve({ hosts: [], ranges: [] })),
  });

const wordsOf = ({ os, architecture, variant }: Platform): string => `${os}/${architecture}/${variant ?? ''}`;

/** Gives up waiting as soon as the signal aborts. */
async function orCalledOff<T>(look: Promise<T>, signal: AbortSignal): Promise<T> {
  let giveUp = (): void => undefined;
  const calledOff = new Promise<never>((_resolve, reject) => {
    giveUp = () => reject(new Failure('registry_unreachable', 'the question was called off'));
  });
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([look, calledOff]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
