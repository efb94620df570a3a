import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeAtomically } from '../lib/atomic-file.ts';
import type { Clock } from '../lib/clock.ts';
import type { Request, RequestAnswer, StateFolder } from './state.ts';
import { inState } from './unusable.ts';

/** Whoever left it gave up long before (contracts section 1: 10 s); obeying it now would surprise everybody. */
const STALE_MS = 60_000;
/** A folder of a few files: looking is as cheap as watching, and works everywhere. */
const LOOK_MS = 200;
/** No secrets are in requests, and the folder above is closed: a person may be another user than the writer. */
const MODE = 0o644;
const AT_MOST = 64 * 1024;

/**
 * Leaves a request for the writer of this state folder; its `id` must be new. Rejects with a `Failure`
 * (`state_unusable`, `disk_full`); a state folder that no orchestrator ever used is not made.
 */
export async function leaveRequest(path: string, request: Request): Promise<void> {
  const home = join(resolve(path), 'requests');
  await inState(resolve(path), async () => {
    await mkdir(home, { mode: 0o700 }).catch(unlessThere);
    await writeJson(home, requestName(request.id), request);
  });
}

/** The writer's answer; null when there is none until `signal` aborts, and then the request is withdrawn. */
export async function awaitAnswer(
  path: string,
  id: string,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<RequestAnswer | null> {
  const home = join(resolve(path), 'requests');
  return inState(home, async () => {
    let answer = readAnswer(await readJson(home, answerName(id)));
    while (answer === null && !signal.aborted) {
      await clock.sleep(LOOK_MS, signal);
      answer = readAnswer(await readJson(home, answerName(id)));
    }
    await remove(home, [requestName(id), answerName(id)]);
    return answer;
  });
}

/** The writer's side. A request is taken once; one that was not answered is taken again after our death. */
export function requestsIn(folder: string, clock: Clock): StateFolder['requests'] {
  const home = join(folder, 'requests');
  const taken = new Set<string>();
  const waiting = async (): Promise<readonly string[]> =>
    (await list(home)).filter((name) => isRequestName(name) && !taken.has(name));
  return {
    take: () =>
      inState(folder, async () => {
        await removeStale(home, clock.now());
        const names = await waiting();
        const found = await Promise.all(
          names.map(async (name) => readRequest(await readJson(home, name), name)),
        );
        const requests = found.filter((request) => request !== null);
        for (const { id } of requests) taken.add(requestName(id));
        return requests.sort((a, b) => a.at - b.at || a.id.localeCompare(b.id));
      }),
    answer: ({ id }, answer) =>
      inState(folder, async () => {
        await writeJson(home, answerName(id), { ...answer, at: clock.now() });
        await remove(home, [requestName(id)]);
        taken.delete(requestName(id));
      }),
    async watch(hint, signal) {
      while (!signal.aborted) {
        if ((await waiting()).length > 0) hint();
        await clock.sleep(LOOK_MS, signal);
      }
    },
  };
}

const ID = '[A-Za-z0-9][A-Za-z0-9_-]{0,99}';

function requestName(id: string): string {
  if (!new RegExp(`^${ID}$`).test(id)) throw new Error(`not an id of a request: ${JSON.stringify(id)}`);
  return `${id}.json`;
}

const answerName = (id: string): string => requestName(id).replace(/json$/, 'answer.json');

const isRequestName = (name: string): boolean => new RegExp(`^${ID}\\.json$`).test(name);

const isOurName = (name: string): boolean => new RegExp(`^${ID}(\\.answer)?\\.json$`).test(name);

/** Only what says itself, in our form, that it is old: strangers' files stay. */
async function removeStale(home: string, now: number): Promise<void> {
  const names = (await list(home)).filter(isOurName);
  const found = await Promise.all(names.map((name) => readJson(home, name)));
  const isStale = (at: unknown): boolean => typeof at === 'number' && Math.abs(now - at) > STALE_MS;
  const stale = names.filter((_name, index) => isStale(found[index]?.['at']));
  await remove(home, stale);
}

function readRequest(found: Fields | null, name: string): Request | null {
  const { id, request, server, forSeconds, reason, at } = found ?? {};
  const known = request === 'pause' || request === 'resume' || request === 'retry' || request === 'sync';
  if (!known || typeof id !== 'string' || `${id}.json` !== name || typeof at !== 'number') return null;
  if (!isOrNull(server, 'string') || !isOrNull(forSeconds, 'number') || !isOrNull(reason, 'string'))
    return null;
  return { id, request, server, forSeconds, reason, at } as Request;
}

const isOrNull = (value: unknown, type: 'string' | 'number'): boolean =>
  value === null || typeof value === type;

function readAnswer(found: Fields | null): RequestAnswer | null {
  const { accepted, message } = found ?? {};
  return typeof accepted === 'boolean' && typeof message === 'string' ? { accepted, message } : null;
}

async function list(home: string): Promise<readonly string[]> {
  return readdir(home).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
}

type Fields = Readonly<Record<string, unknown>>;

/** null for what is no request of ours, cannot be read, or went meanwhile. */
async function readJson(home: string, name: string): Promise<Fields | null> {
  const file = join(home, name);
  const size = await stat(file).then(
    (found) => (found.isFile() ? found.size : Infinity),
    () => Infinity,
  );
  const text = size > AT_MOST ? '' : await readFile(file, 'utf8').catch(() => '');
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' ? (found as Fields | null) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const writeJson = (home: string, name: string, value: object): Promise<void> =>
  writeAtomically(join(home, name), `${JSON.stringify(value)}\n`, MODE);

async function remove(home: string, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => rm(join(home, name), { force: true })));
}

function unlessThere(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
}
