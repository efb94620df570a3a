import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { digest } from '../lib/digest.ts';
import type { Environment } from './proxy.ts';

/** Whom we believe that a host is who it says, and by what we show who we are. */
export interface Certificates {
  readonly context: SecureContext;
  /** Files beside those that come with Node. */
  readonly from: readonly string[];
  /** Files that were meant and cannot be used, each with why. */
  readonly troubles: readonly string[];
}

/** Where the engine's operator puts certificates of single registries; one folder a host. */
export const STANDARD_FOLDERS = ['/etc/docker/certs.d'];

/** The first that is there is the machine's own list: where `update-ca-certificates` and its kin put a private one. */
const machineFiles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** Contexts by what they are made of: making one takes a tenth of a second, and most hosts share theirs. */
export type Contexts = Map<string, SecureContext>;

interface Places {
  readonly env: Environment;
  /** With one folder for each host. */
  readonly folders: readonly string[];
  readonly made: Contexts;
}

/**
 * As engine and git have them: the machine's list or SSL_CERT_FILE, SSL_CERT_DIR, and the folder of each host
 * (`*.crt`, and `*.cert` with `*.key` where the registry asks who we are); NODE_EXTRA_CA_CERTS too, as Node itself.
 */
export async function certificatesFor(hosts: readonly string[], places: Places): Promise<Certificates> {
  const { env, folders, made } = places;
  const pile = new Pile();
  if (env['SSL_CERT_FILE']) await pile.add(env['SSL_CERT_FILE']);
  else await pile.addFirst(machineFiles);
  if (env['NODE_EXTRA_CA_CERTS']) await pile.add(env['NODE_EXTRA_CA_CERTS']);
  for (const folder of (env['SSL_CERT_DIR'] ?? '').split(':').filter(Boolean)) await pile.addAll(folder, /./);
  const own = hosts.filter((host) => /^[a-z0-9[][^/\\]*$/i.test(host));
  for (const folder of folders) for (const host of own) await pile.addHost(join(folder, host));
  return pile.certificates(made);
}

/** Nobody is checked, and none is shown. */
export const noCertificates = (): Certificates => ({
  context: createSecureContext(),
  from: [],
  troubles: [],
});

interface Found {
  readonly file: string;
  readonly given: { readonly ca: string } | { readonly cert: string; readonly key: string };
}

class Pile {
  #found: Found[] = [];
  readonly #troubles: string[] = [];

  async add(file: string): Promise<void> {
    const ca = await this.#read(file);
    if (ca === null) return;
    if (/-----BEGIN /.test(ca)) this.#found.push({ file, given: { ca } });
    else this.#troubles.push(`${file} has no certificate in it`);
  }

  async addFirst(files: readonly string[]): Promise<void> {
    for (const file of files) {
      const ca = await readFile(file, 'utf8').catch(() => '');
      if (ca.includes('-----BEGIN ')) return void this.#found.push({ file, given: { ca } });
    }
  }

  async addAll(folder: string, names: RegExp): Promise<readonly string[]> {
    const all = await readdir(folder).catch(() => []);
    for (const name of all.filter((each) => names.test(each)).sort()) await this.add(join(folder, name));
    return all;
  }

  /** The folder of one host. */
  async addHost(folder: string): Promise<void> {
    const names = await this.addAll(folder, /\.crt$/);
    for (const name of names.filter((each) => each.endsWith('.cert'))) {
      const file = join(folder, name);
      const [cert, key] = [await this.#read(file), await this.#read(file.replace(/\.cert$/, '.key'))];
      if (cert !== null && key !== null) this.#found.push({ file, given: { cert, key } });
    }
  }

  certificates(made: Contexts): Certificates {
    const context = this.#context(made);
    return { context, from: this.#found.map(({ file }) => file), troubles: this.#troubles };
  }

  #context(made: Contexts): SecureContext {
    const name = digest(JSON.stringify(this.#found));
    const known = made.get(name);
    if (known !== undefined) return known;
    const context = contextOf(this.#found) ?? this.#contextOfUsable();
    if (made.size >= MOST_CONTEXTS) made.clear();
    made.set(name, context);
    return context;
  }

  /** One bad file makes no other useless. */
  #contextOfUsable(): SecureContext {
    const usable = this.#found.filter((one) => contextOf([one]) !== null);
    for (const { file } of this.#found.filter((one) => !usable.includes(one)))
      this.#troubles.push(`${file} cannot be used: it is damaged, or does not fit its key`);
    this.#found = usable;
    return contextOf(usable) ?? createSecureContext();
  }

  async #read(file: string): Promise<string | null> {
    try {
      return await readFile(file, 'utf8');
    } catch (error) {
      this.#troubles.push(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
      return null;
    }
  }
}

const MOST_CONTEXTS = 50;

/** null: OpenSSL takes it not; its own words say nothing to a person. */
function contextOf(found: readonly Found[]): SecureContext | null {
  const ca = found.flatMap(({ given }) => ('ca' in given ? [given.ca] : []));
  const pairs = found.flatMap(({ given }) => ('cert' in given ? [given] : []));
  const shown = { cert: pairs.map(({ cert }) => cert), key: pairs.map(({ key }) => key) };
  try {
    return createSecureContext({
      ...(ca.length > 0 && { ca: [...rootCertificates, ...ca] }),
      ...(pairs.length > 0 && shown),
    });
  } catch {
    return null;
  }
}
