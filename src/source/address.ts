import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../model/failure.ts';

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
  if (!URL.canParse(manifest) || /\s/.test(manifest)) throw notAnAddress(manifest);
  const url = new URL(manifest);
  if (!SCHEMES.includes(url.protocol)) throw notAnAddress(manifest);
  if (url.protocol === 'file:') return here(fileURLToPath(url));
  if (url.hostname === '' || url.hostname.startsWith('-')) throw notAnAddress(manifest);
  return readRemote(url);
}

/** In full, so that it is the same source from wherever it is named. */
const here = (folder: string): Address => ({ kind: 'local', place: resolve(folder), shown: resolve(folder) });

/** Credentials leave the address here: git echoes addresses, and so do people's screens. */
function readRemote(url: URL): Address {
  const overHttp = url.protocol.startsWith('http');
  const login = overHttp && url.username !== '' ? decodedLogin(url) : null;
  url.password = '';
  if (overHttp) url.username = '';
  return { kind: 'remote', url: url.href, shown: url.href, login };
}

function decodedLogin(url: URL): string {
  const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  return password === '' ? user : `${user}:${password}`;
}

function notAnAddress(manifest: string): Failure {
  const shown = JSON.stringify(manifest.replace(/\/\/[^/@]*@/, '//***@'));
  return new Failure('source_unusable', `${shown} is not an address of a manifest`, {
    suggestedAction:
      'Give --manifest an https, ssh, git or file URL, user@host:path, a repository, a folder or a file.',
  });
}
