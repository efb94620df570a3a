import { createHash } from 'node:crypto';
import { constants, open, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { Failure } from '../model/failure.ts';
import { orAborted } from './deadline.ts';
import { READ_AT_MOST } from './git.ts';
import type { ManifestSource, Snapshot } from './source.ts';
import { watchTree } from './watch.ts';

interface FileSourceOptions {
  /** As `ManifestSource.address`. */
  readonly address: string;
  /** Absolute: a file, or a folder that has one at `path`. It may be missing, and may come and go. */
  readonly location: string;
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** A file counts once it is the same twice, this far apart: half-written ones are not read. */
const SETTLE_MS = 500;
const SETTLE_TRIES = 20;
/** A file system that says nothing for so long is away. */
const READ_WITHIN_MS = 60_000;

/** A manifest without git: its revision is the hash of its bytes. */
export function fileSource(options: FileSourceOptions): ManifestSource {
  const { location } = options;
  return {
    address: options.address,
    branch: null,
    async read(known, until) {
      const { clock } = options;
      const file = await fileAt(location, options.path);
      const signal = clock.deadline(READ_WITHIN_MS, until);
      const settled = await readSettled(file, known, { clock, signal });
      return settled === null ? null : { ...settled, file: shownAs(file, location), commit: null };
    },
    async watch(hint, signal) {
      const file = await fileAt(location, options.path);
      const tree = { top: dirname(file), matters: isNear(dirname(file)), swapped: file };
      await watchTree(tree, { hint, signal, clock: options.clock, log: options.log });
    },
  };
}

interface Reading {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The manifest itself, or the place where it should be: a name like `x.yaml` means a file. */
export async function fileAt(location: string, path: string): Promise<string> {
  const found = await stat(location).catch(() => null);
  const isFile = found === null ? /^\.(ya?ml|json)$/.test(extname(location)) : !found.isDirectory();
  return isFile ? location : join(location, path);
}

const shownAs = (file: string, location: string): string =>
  file === location ? basename(file) : file.slice(location.length + 1);

/** The file, what it is swapped in by, and the `..data` of a mounted ConfigMap; not its neighbours. */
const isNear =
  (folder: string) =>
  (path: string): boolean =>
    path === folder || (dirname(path) === folder && /^\.\.|\.(ya?ml|json)$/.test(basename(path)));

/** Null when it is still `known`. A file that is missing for a moment is being replaced. */
async function readSettled(
  file: string,
  known: string | null,
  { clock, signal }: Reading,
): Promise<Pick<Snapshot, 'revision' | 'content'> | null> {
  let before = await lookAt(file, signal);
  for (let tries = 0; tries < SETTLE_TRIES; tries += 1) {
    if (before instanceof Uint8Array && revisionOf(before) === known) return null;
    await clock.sleep(SETTLE_MS, signal);
    const after = await lookAt(file, signal);
    if (before instanceof Failure && after instanceof Failure) throw after;
    if (before instanceof Uint8Array && after instanceof Uint8Array && same(before, after)) {
      return { revision: revisionOf(after), content: after };
    }
    before = after;
  }
  throw new Failure('source_unusable', `${file} keeps changing`, {
    suggestedAction: 'Write the manifest to another name and rename it into place.',
  });
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const revisionOf = (content: Uint8Array): string =>
  `sha256:${createHash('sha256').update(content).digest('hex')}`;

/** The bytes, or why there are none. A file system that hangs is given up when `signal` aborts. */
async function lookAt(file: string, signal: AbortSignal): Promise<Uint8Array | Failure> {
  const content = readAtMost(file, READ_AT_MOST).catch((error: unknown) => explainReading(file, error));
  return orAborted(content, signal, () => tookTooLong(file));
}

async function readAtMost(file: string, limit: number): Promise<Uint8Array | Failure> {
  // Opening a pipe that nobody writes to would wait for ever.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) return notAFile(file);
    const chunks: Buffer[] = [];
    for (let left = limit; left > 0; left -= chunks.at(-1)?.length ?? 0) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(left, 65_536)));
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
    }
    return Buffer.concat(chunks);
  } finally {
    await handle.close();
  }
}

/** The system's refusal to read a file as a `Failure`; anything else is our own mistake and thrown on. */
export function explainReading(file: string, error: unknown): Failure {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  if (code === 'EACCES' || code === 'EPERM') {
    const advice = 'Let the user that runs the orchestrator read it.';
    return new Failure('source_denied', `${file} may not be read`, { suggestedAction: advice });
  }
  const missing = code === 'ENOENT' || code === 'ENOTDIR';
  return new Failure('source_missing', `${file} ${missing ? 'is not there' : `cannot be read (${code})`}`, {
    suggestedAction: 'Put the manifest there, or say with --manifest and --path where it is.',
  });
}

const notAFile = (file: string): Failure =>
  new Failure('source_unusable', `${file} is not a plain file`, {
    suggestedAction: 'Give --manifest a file, or a folder that has the manifest at --path.',
  });

const tookTooLong = (file: string): Failure =>
  new Failure('source_unreachable', `${file} could not be read in time`, {
    suggestedAction: 'Check the file system; it is tried again by itself.',
  });
