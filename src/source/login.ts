/** Who logs in with what, as it is written in an address: still coded. */
export interface Login {
  readonly user: string;
  /** Empty: there is none, and `user` may be a token. */
  readonly password: string;
}

interface Parts {
  /** `https:`, in small letters. */
  readonly scheme: string;
  readonly login: Login | null;
  readonly host: string;
  /** From the first `/`, `?`, `#` or `\` after the host on. */
  readonly rest: string;
}

/** Longer ones are nobody's address, and fill a screen. */
const SHOWN_AT_MOST = 200;
const LOGIN_AT_MOST = 1000;

/** An address with a scheme, taken apart before anything else looks at it: credentials leave it here. */
export function apart(address: string): Parts {
  const start = address.indexOf('//') + 2;
  const body = address.slice(start);
  const end = body.search(/[/?#\\]/);
  const authority = end === -1 ? body : body.slice(0, end);
  const at = authority.lastIndexOf('@');
  return {
    scheme: address.slice(0, start - 2).toLowerCase(),
    login: at === -1 || authority.slice(0, at) === '' ? null : loginOf(authority.slice(0, at)),
    host: authority.slice(at + 1),
    rest: body.slice(authority.length),
  };
}

/**
 * An address that may be none, fit for a screen: without all that may be a login (up to the last `@`, for a password may
 * hold anything) or a token (from the first `?` or `#` on).
 */
export function shownAddress(text: string): string {
  const masked = text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1***@').replace(/([?#]).*$/s, '$1***');
  return masked.length > SHOWN_AT_MOST ? `${masked.slice(0, SHOWN_AT_MOST)}...` : masked;
}

/** A text without the logins of the addresses in it; what stands between two of them in one line goes too. */
export const maskLogins = (text: string): string => text.split('\n').map(maskedLine).join('\n');

function maskedLine(line: string): string {
  const [start, at] = [line.indexOf('//'), line.lastIndexOf('@')];
  return start === -1 || at < start ? line : `${line.slice(0, start)}//***${line.slice(at)}`;
}

/**
 * What may be the secret of an address in a text, as written and decoded: after whichever `:` the password begins, and
 * whatever it holds, it ends at the last `@`. Without any `:` it is a token, but for the user of ssh.
 */
export function secretsIn(text: string): readonly string[] {
  const login = text.slice(0, Math.max(text.lastIndexOf('@'), 0)).slice(-LOGIN_AT_MOST);
  const colons = [...login.matchAll(/:/g)].map(({ index }) => login.slice(index + 1));
  const found = colons.flatMap((secret) => [secret, secret.replace(/^\/+/, '')]);
  const isUser = /^([^/]*=)?ssh:\/\/[^:]*$/i.test(login);
  return isUser ? [] : found.flatMap((secret) => [secret, decodedOr(secret)]);
}

function loginOf(text: string): Login {
  const colon = text.indexOf(':');
  return colon === -1
    ? { user: text, password: '' }
    : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function decodedOr(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
