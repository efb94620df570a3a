import type { Clock } from '../lib/clock.ts';
import { Failure } from '../model/failure.ts';
import type { Credentials, Login } from './credentials.ts';
import { isLoopback, type Repository } from './reference.ts';
import type { Sent } from './connections.ts';
import type { Transport } from './transport.ts';

/** What a registry asks for with a 401. */
interface Challenge {
  readonly scheme: 'basic' | 'bearer';
  readonly parameters: Readonly<Record<string, string>>;
}

interface Token {
  readonly header: string;
  /** Unix ms; used no longer. */
  readonly until: number;
}

interface Met {
  /** null: there is nothing to meet it with. */
  readonly header: string | null;
  /** Why credentials that may be there were not used. */
  readonly trouble: Failure | null;
}

/** A token lasts at least this long where its server does not say (the distribution specification). */
const USUAL_SECONDS = 60;
const SPARE_SECONDS = 10;

/** The authorisation of one repository: learned from its challenge, kept while it lasts. */
export class Authorisation {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #loginTo: (host: string) => Promise<Login>;
  readonly #tokens = new Map<string, Token>();

  constructor(transport: Transport, clock: Clock, loginTo: (host: string) => Promise<Login>) {
    this.#transport = transport;
    this.#clock = clock;
    this.#loginTo = loginTo;
  }

  /** The header to send without having been asked, or none. */
  known(repository: Repository): string | null {
    const token = this.#tokens.get(keyOf(repository));
    return token === undefined || token.until <= this.#clock.now() ? null : token.header;
  }

  /** Meets a challenge. Rejects with a `Failure`. */
  async meet(repository: Repository, challenge: Challenge, signal: AbortSignal): Promise<Met> {
    const login = await this.#loginTo(repository.host);
    const token =
      challenge.scheme === 'basic'
        ? basicToken(login.credentials)
        : await this.#fetchToken(repository, challenge, login, signal);
    if (token !== null) this.#tokens.set(keyOf(repository), token);
    return { header: token?.header ?? null, trouble: login.trouble };
  }

  async #fetchToken(
    repository: Repository,
    { parameters }: Challenge,
    { credentials, trouble }: Login,
    signal: AbortSignal,
  ): Promise<Token> {
    const realm = realmOf(parameters['realm'] ?? '', repository);
    const query = { service: parameters['service'] ?? '', scope: `repository:${repository.name}:pull` };
    const askedAt = this.#clock.now();
    const reply = await this.#transport.ask(
      { ...tokenQuestion(realm, query, credentials), registry: repository.site },
      signal,
    );
    if (reply.status !== 200) throw trouble ?? tokenDenied(realm, reply.status, credentials !== null);
    const { token, expiresIn } = readToken(reply.body, realm);
    return { header: `Bearer ${token}`, until: askedAt + Math.max(1, expiresIn - SPARE_SECONDS) * 1000 };
  }
}

const keyOf = ({ host, name }: Repository): string => `${host}/${name}`;

/** The strongest challenge that we know of a `WWW-Authenticate` header; null when there is none. */
export function readChallenge(header: string | undefined): Challenge | null {
  const found = /\b(bearer)\b(.*)/i.exec(header ?? '') ?? /\b(basic)\b(.*)/i.exec(header ?? '');
  if (found === null) return null;
  const scheme = found[1]?.toLowerCase() === 'bearer' ? 'bearer' : 'basic';
  const pairs = [...(found[2] ?? '').matchAll(/\b([a-z_]+)="([^"]*)"/gi)];
  return {
    scheme,
    parameters: Object.fromEntries(pairs.map(([, name = '', value = '']) => [name.toLowerCase(), value])),
  };
}

function basicToken(credentials: Credentials | null): Token | null {
  if (credentials?.kind !== 'password') return null;
  return { header: basicHeader(credentials), until: Infinity };
}

const basicHeader = ({ username, password }: { username: string; password: string }): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/**
 * Where a registry sends who asks it: wherever it likes by TLS, as with Docker. Without TLS to its own host alone, and
 * there too the route must allow it.
 */
export function realmOf(realm: string, { host, site }: Repository): URL {
  if (!URL.canParse(realm)) throw answer(`${host} names no token server`);
  const url = new URL(realm);
  const { hostname } = new URL(`https://${site}`);
  const isItsOwn = url.hostname === hostname || (isLoopback(url.hostname) && isLoopback(hostname));
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isItsOwn)) return url;
  throw answer(`${host} names a token server without encryption, ${url.host}`);
}

function tokenQuestion(
  realm: URL,
  query: Readonly<Record<string, string>>,
  credentials: Credentials | null,
): Sent {
  if (credentials?.kind === 'identity') return refreshQuestion(realm, query, credentials.token);
  const url = new URL(realm);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const headers = credentials === null ? {} : { authorization: basicHeader(credentials) };
  return { method: 'GET', url, headers };
}

function refreshQuestion(url: URL, query: Readonly<Record<string, string>>, token: string): Sent {
  const form = {
    ...query,
    grant_type: 'refresh_token',
    refresh_token: token,
    client_id: 'mcp-orchestration',
  };
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', url, headers, body: new URLSearchParams(form).toString() };
}

function readToken(body: Buffer, realm: URL): { token: string; expiresIn: number } {
  const json = parseJson(body, realm.host);
  const token = json['token'] ?? json['access_token'];
  const seconds = json['expires_in'];
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token))
    throw answer(`${realm.host} gives no token`);
  return { token, expiresIn: typeof seconds === 'number' ? seconds : USUAL_SECONDS };
}

/** A JSON object out of an answer. Rejects with `registry_answer`; never quotes the text. */
export function parseJson(body: Buffer, host: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw answer(`${host} gives an answer that is not a JSON object`);
}

function tokenDenied(realm: URL, status: number, withCredentials: boolean): Failure {
  const who = withCredentials
    ? 'the credentials of the Docker configuration'
    : 'a question without credentials';
  return new Failure('registry_denied', `${realm.host} answers ${status} to ${who}`, {
    suggestedAction: 'check the name of the image, or run docker login for its registry',
  });
}

const answer = (message: string): Failure => new Failure('registry_answer', message);
