import { ownValue } from '../lib/own-value.ts';
import { constants, open } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../model/failure.ts';
import type { SecretRef } from '../model/spec.ts';
import type { Secrets } from './secrets.ts';
import { Scrubber } from '../lib/scrub.ts';
import { readUtf8 } from '../lib/utf8.ts';
import { secretVersions } from './version.ts';

export interface FolderSecretsOptions {
  /** `--secrets`; null: none was given, only the environment can grant one. */
  readonly directory: string | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The shared secrets that policy's `allow_secrets` lets a server have. */
  readonly granted: (server: string) => readonly string[];
}

/** A variable of a process cannot be longer (Linux: 128 KiB). */
const AT_MOST = 128 * 1024;

/**
 * Secrets from files: a server's own `<directory>/<server>/<NAME>`, else, where granted, the shared
 * `<directory>/<NAME>` or the variable `MCP_SECRET_<NAME>` (contracts section 2). One newline at the end and a byte order
 * mark at the beginning are not part of the value; an empty value is none.
 */
export function folderSecrets(options: FolderSecretsOptions): Secrets {
  const scrubber = new Scrubber();
  const versionOf = secretVersions();
  const read = async (server: string, name: string): Promise<string | null> => {
    const value = await readSecret(server, name, options);
    if (value !== null) scrubber.add(value);
    return value;
  };
  const refTo = async (server: string, name: string): Promise<SecretRef> => {
    const value = await read(server, name);
    return { name, version: value === null ? null : await versionOf(server, name, value) };
  };
  return {
    async refs(server, wanted) {
      const refs = await Promise.all(wanted.map(({ name }) => refTo(server, name)));
      const absent = (name: string): boolean => refs.some((ref) => ref.name === name && ref.version === null);
      const missing = wanted.filter(({ name, required }) => required && absent(name));
      return { refs, missing: missing.map(({ name }) => name) };
    },
    async values(server, refs) {
      const present = refs.filter((ref) => ref.version !== null);
      const pairs = present.map(async ({ name, version }): Promise<[string, string]> => {
        const value = await read(server, name);
        if (value === null) throw gone(server, name, 'is not there any more');
        if ((await versionOf(server, name, value)) !== version)
          throw gone(server, name, 'has another value now');
        return [name, value];
      });
      return Object.fromEntries(await Promise.all(pairs));
    },
    scrub: (text) => scrubber.scrub(text),
  };
}

async function readSecret(
  server: string,
  name: string,
  options: FolderSecretsOptions,
): Promise<string | null> {
  if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(server) || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw unreadable(
      server,
      name,
      'has a name that is not allowed',
      'Use letters, digits and _ in its name.',
    );
  }
  const { directory, environment } = options;
  const own = directory === null ? null : await readValue(join(directory, server, name), server, name);
  if (own !== null || !options.granted(server).includes(name)) return own;
  const shared = directory === null ? null : await readValue(join(directory, name), server, name);
  return shared ?? usable(fromEnvironment(name, environment), server, name);
}

const fromEnvironment = (name: string, environment: FolderSecretsOptions['environment']): string =>
  (ownValue(environment, `MCP_SECRET_${name}`) ?? '').replace(/^\uFEFF/, '');

async function readValue(file: string, server: string, name: string): Promise<string | null> {
  const content = await readFileAtMost(file).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw unreadable(server, name, `cannot be read (${code})`, 'Let the orchestrator read that file.');
  });
  if (content === null) return null;
  if (content === 'not a file')
    throw unreadable(server, name, 'is not a plain file', 'Put its value into a file.');
  return usable(decode(content, server, name).replace(/\r?\n$/, ''), server, name);
}

async function readFileAtMost(file: string): Promise<Buffer | 'not a file'> {
  // Opening a pipe that nobody writes to would wait for ever.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) return 'not a file';
    const buffer = Buffer.alloc(AT_MOST + 1);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function decode(content: Buffer, server: string, name: string): string {
  const text = readUtf8(content);
  if (text.ok) return text.value;
  const { what, advice } = text.error;
  const encode = 'Encode it, for example with base64, and let the server decode it.';
  throw unreadable(server, name, what, what === 'is UTF-16' ? advice : encode);
}

/** The value if an environment can hold it; null for an empty one. */
function usable(value: string, server: string, name: string): string | null {
  if (value.includes('\0'))
    throw unreadable(server, name, 'has a zero byte', 'Encode it, for example with base64.');
  if (Buffer.byteLength(value) > AT_MOST)
    throw unreadable(server, name, 'is longer than 128 KiB', 'Shorten it.');
  return value === '' ? null : value;
}

function unreadable(server: string, name: string, what: string, advice: string): Failure {
  const message = `secret ${JSON.stringify(name)} of ${JSON.stringify(server)} ${what}`;
  return new Failure('secret_unreadable', message, { suggestedAction: advice });
}

const gone = (server: string, name: string, what: string): Failure =>
  new Failure('secret_missing', `secret ${name} of ${server} ${what}`, {
    suggestedAction: 'It is taken up with the next version; put the old value back to go on with this one.',
  });
