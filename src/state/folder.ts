import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { writeAtomically } from '../lib/atomic-file.ts';
import type { Clock } from '../lib/clock.ts';
import { Failure } from '../model/failure.ts';
import type { Spec } from '../model/spec.ts';
import { requestsIn } from './requests.ts';
import type { Accepted, StateFolder } from './state.ts';
import { inState, stateFailure } from './unusable.ts';

/**
 * The state folder, made (0700) where it is missing and tried by writing to it. Rejects with a `Failure`
 * (`state_unusable`) whose advice says what is wrong: a file in the way, no rights, read-only, a full disk.
 */
export async function openState(path: string, clock: Clock): Promise<StateFolder> {
  const folder = resolve(path);
  try {
    for (const part of ['specs', 'requests']) await makeFolder(join(folder, part));
    await writeAtomically(join(folder, 'writable'), 'yes\n');
    await rm(join(folder, 'writable'));
  } catch (error) {
    const { message, suggestedAction } = stateFailure(folder, error);
    throw new Failure('state_unusable', message, { suggestedAction: suggestedAction ?? '', cause: error });
  }
  return readState(folder, clock);
}

/** The same without touching it, for those who only look (`plan`); a folder that is missing is empty. */
export function readState(path: string, clock: Clock): StateFolder {
  const folder = resolve(path);
  return {
    path: folder,
    specs: specsIn(folder),
    accepted: acceptedIn(folder),
    requests: requestsIn(folder, clock),
  };
}

/** As `mkdir -p`; Node's own calls a read-only file system a missing folder. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT') throw error;
    await makeFolder(dirname(path));
    await mkdir(path, { mode: 0o700 });
  }
}

/** `specs/<digest>.json`. What is there under a name that it does not bear is not ours, or torn, and not read. */
function specsIn(folder: string): StateFolder['specs'] {
  const home = join(folder, 'specs');
  return {
    load: () =>
      inState(folder, async () => {
        const names = (await namesIn(home)).map(digestOf).filter((digest) => digest !== null);
        const found = await Promise.all(names.map((digest) => readJson(join(home, `${digest}.json`))));
        const pairs = names.map((digest, at) => [digest, found[at]] as const);
        return Object.fromEntries(pairs.filter((pair): pair is [string, Spec] => isSpecOf(...pair)));
      }),
    keep: (spec) => {
      if (digestOf(`${spec.digest}.json`) === null) throw new Error(`not a digest: ${spec.digest}`);
      return inState(folder, () =>
        writeAtomically(join(home, `${spec.digest}.json`), `${JSON.stringify(spec)}\n`),
      );
    },
    retain: (digests) =>
      inState(folder, async () => {
        const ours = (await namesIn(home)).filter((name) => digestOf(name) !== null);
        const others = ours.filter((name) => !digests.includes(digestOf(name) ?? ''));
        await Promise.all(others.map((name) => rm(join(home, name), { force: true })));
      }),
  };
}

const digestOf = (name: string): string | null => /^(sha256:[0-9a-f]{64})\.json$/.exec(name)?.[1] ?? null;

function isSpecOf(digest: string, found: unknown): boolean {
  const spec = found as Partial<Spec> | null;
  const words = [spec?.server, spec?.image, spec?.imageDigest];
  return (
    spec?.digest === digest &&
    words.every((word) => typeof word === 'string') &&
    typeof spec.settings === 'object'
  );
}

/** `accepted.json` is what is read; `accepted.yaml` is the same manifest for people. */
function acceptedIn(folder: string): StateFolder['accepted'] {
  return {
    load: () =>
      inState(folder, async () => {
        const found = await readJson(join(folder, 'accepted.json'));
        return isAccepted(found) ? found : null;
      }),
    keep: (accepted) =>
      inState(folder, async () => {
        await writeAtomically(join(folder, 'accepted.json'), `${JSON.stringify(accepted)}\n`);
        await writeAtomically(join(folder, 'accepted.yaml'), accepted.content);
      }),
  };
}

function isAccepted(found: unknown): found is Accepted {
  const { revision, source, traceId, file, content, commits } = (found ?? {}) as Partial<Accepted>;
  const words = [revision, source, traceId, file, content];
  return words.every((word) => typeof word === 'string') && Array.isArray(commits);
}

async function namesIn(home: string): Promise<readonly string[]> {
  return readdir(home).catch(emptyIfMissing([] as string[]));
}

/** null when it is missing or no JSON: half of a copy, somebody's notes. */
async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch(emptyIfMissing(null));
  if (text === null) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const emptyIfMissing =
  <T>(empty: T) =>
  (error: unknown): T => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return empty;
    throw error;
  };
