import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../model/failure.ts';
import { apart, type Login, shownAddress } from './login.ts';

/** What `--manifest` may be, once read. Nothing else ever reaches git's command line. */
export type Address =
  | { readonly kind: 'remote'; readonly url: string; readonly shown: string; readonly login: string | null }
  | { readonly kind: 'local'; readonly place: string; readonly shown: string };

const SCHEMES = ['https:', 'http:', 'ssh:', 'git:', 'file:'];
/** `git@github.com:org/repository.git`; the user is required, so that no file name looks like one. */
const SCP_FORM = /^[A-Za-z0-9_][\w.-]*@[A-Za-z0-9][\w.-]*:(?!\/\/)[^\s-]\S*$/;
/** Space and control characters have no business in an address, a branch or a path. */
const CONTROL = /[\u0000-\u001f\u007f]/;

/** Reads `--manifest`. Throws a `Failure` (`source_unusable`) for an address that git should never see. */
export function readAddress(manifest: string): Address {
  if (manifest === '' || manifest.startsWith('-') || CONTROL.test(manifest)) throw notAnAddress(manifest);
  if (/^[a-z0-9+.-]+::/i.test(manifest)) throw notAnAddress(manifest);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(manifest)) return readUrl(manifest);
  if (SCP_FORM.test(manifest)) return { kind: 'remote', url: manifest, shown: manifest, login: null };
  if (/^(https?|ssh|git|file):|^[^./][^/]*@|^(?![./])[^:]*:.*@/i.test(manifest)) throw notAnAddress(manifest);
  return here(manifest);
}

/** A branch by its short name. Throws a `Failure` (`source_unusable`) for what git would not accept as one. */
export function readBranch(branch: string | null): string | null {
  if (branch === null) return null;
  const name = branch.replace(/^refs\/heads\//, '');
  const refused =
    /^[-./]|[\s~^:?*[\]\\]|\.\.|@\{|\/\/|\/\.|[./]$|\.lock(\/|$)|^$|^@$/.test(name) || CONTROL.test(name);
  if (!refused) return name;
  throw new Failure('source_unusable', `${JSON.stringify(branch)} is not a branch name`, {
    suggestedAction: 'Give --branch the short name of a branch, such as main.',
  });
}

/** Any name git knows a commit by: `origin/main`, `v1.0.0`, `HEAD~1`, a hash. Throws a `Failure` for what is none. */
export function readCommitish(at: string | null): string | null {
  if (at === null || (/^[A-Za-z0-9_][\w./~^+-]*$/.test(at) && !at.includes('..'))) return at;
  throw new Failure('source_unusable', `${JSON.stringify(at)} is not a name of a commit`, {
    suggestedAction: 'Give --base a branch, a tag or a hash, such as origin/main.',
  });
}

/** The manifest's path inside its source, `/` between names. Throws a `Failure` when it leads outside. */
export function readPath(path: string): string {
  const names = path.split('/').filter((name) => name !== '.' && name !== '');
  const outside = path.startsWith('/') || names.length === 0 || names.includes('..') || CONTROL.test(path);
  if (!outside) return names.join('/');
  throw new Failure('source_unusable', `${JSON.stringify(path)} is not a path inside the source`, {
    suggestedAction: 'Give --path relative to the top of the source, such as ecosystem-manifest.yaml.',
  });
}

function readUrl(manifest: string): Address {
  const { scheme, login, host, rest } = apart(manifest);
  if (!SCHEMES.includes(scheme) || /\s/.test(manifest)) throw notAnAddress(manifest);
  if (scheme === 'file:') return readFileUrl(manifest);
  if (rest.includes('@')) throw notAnAddress(manifest, LATE_AT);
  const address = `${scheme}//${host}${rest}`;
  if (!URL.canParse(address) || /^-|^$/.test(host)) throw notAnAddress(manifest);
  const url = new URL(address);
  if (url.search !== '' || url.hash !== '') throw notAnAddress(manifest, NO_QUERY);
  return withLogin(url, login === null ? null : decoded(login, manifest));
}

/** In full, so that it is the same source from wherever it is named. */
const here = (folder: string): Address => ({ kind: 'local', place: resolve(folder), shown: resolve(folder) });

/** Node has several reasons to refuse one: another host, a coded `/`, a `%` that codes nothing. */
function readFileUrl(manifest: string): Address {
  try {
    return here(fileURLToPath(manifest));
  } catch {
    throw notAnAddress(manifest);
  }
}

/** A login is kept for the request; who logs in over ssh is part of the address, and has no password here. */
function withLogin(url: URL, login: Login | null): Address {
  const overHttp = url.protocol.startsWith('http');
  if (login !== null && url.protocol === 'ssh:') url.username = login.user;
  const address = { kind: 'remote', url: url.href, shown: url.href } as const;
  if (login === null || !overHttp) return { ...address, login: null };
  return { ...address, login: login.password === '' ? login.user : `${login.user}:${login.password}` };
}

function decoded({ user, password }: Login, manifest: string): Login {
  try {
    const plain = { user: decodeURIComponent(user), password: decodeURIComponent(password) };
    if (!plain.user.startsWith('-')) return plain;
  } catch {
    throw notAnAddress(manifest, LONE_PERCENT);
  }
  throw notAnAddress(manifest);
}

const PLAIN_ADVICE =
  'Give --manifest an https, ssh, git or file URL, user@host:path, a repository, a folder or a file; put ./ before the name of a local one that has an @.';
const LATE_AT =
  'Write a / in a password as %2F, ? as %3F and # as %23, and an @ in a path as %40; or put the login into a file, for --git-token-file.';
const LONE_PERCENT =
  'Write a % in a user or password as %25; or put the login into a file, for --git-token-file.';
const NO_QUERY = 'Leave out what begins with ? or #; a token goes into a file, for --git-token-file.';

function notAnAddress(manifest: string, suggestedAction = PLAIN_ADVICE): Failure {
  const shown = JSON.stringify(shownAddress(manifest));
  return new Failure('source_unusable', `${shown} is not an address of a manifest`, { suggestedAction });
}
