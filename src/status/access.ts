import { createHash, timingSafeEqual } from 'node:crypto';
import type { Answer } from './answer.ts';
import { strangeHost, strangeOrigin, tokenNeeded } from './refusals.ts';

/** Who may ask. */
export interface Access {
  /** Host names and addresses besides loopback by which we may be called. */
  readonly hosts: readonly string[];
  /** null: nobody has to show one. */
  readonly token: string | null;
}

interface Credentials {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
}

/** A web page that makes a browser ask us (DNS rebinding) names itself in Host or Origin. null: they may ask. */
export function refuseStranger(asked: Credentials, { hosts }: Access): Answer | null {
  if (!isKnown(hostOf(`http://${asked.host ?? ''}`), hosts)) {
    return strangeHost(asked.host ?? '');
  }
  if (asked.origin === undefined || isKnown(hostOf(asked.origin), hosts)) return null;
  return strangeOrigin(asked.origin);
}

/** Bearer, or Basic with the token as the password. null: the right one, or none is needed. */
export function refuseWithoutToken(asked: Credentials, { token }: Access): Answer | null {
  if (token === null || isSame(tokenOf(asked.authorization ?? ''), token)) return null;
  return tokenNeeded;
}

const isKnown = (host: string | null, hosts: readonly string[]): boolean =>
  host !== null && (isLoopback(host) || hosts.includes(host));

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

/** In lower case, without the port; an IPv6 address in brackets, as URLs have it. */
const hostOf = (url: string): string | null => (URL.canParse(url) ? new URL(url).hostname : null);

function tokenOf(authorization: string): string {
  const [scheme = '', credentials = ''] = authorization.split(' ', 2);
  if (scheme.toLowerCase() === 'bearer') return credentials;
  if (scheme.toLowerCase() !== 'basic') return '';
  const decoded = Buffer.from(credentials, 'base64').toString('utf8');
  return decoded.slice(decoded.indexOf(':') + 1);
}

/** Takes as long for a token that is almost right; hashing makes the lengths equal. */
const isSame = (given: string, wanted: string): boolean => timingSafeEqual(sum(given), sum(wanted));

const sum = (text: string): Buffer => createHash('sha256').update(text).digest();
