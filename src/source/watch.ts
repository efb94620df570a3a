import { existsSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';

interface Tree {
  /** Absolute. It may be missing, and may come and go. */
  readonly top: string;
  /** Which paths under `top` (and `top` itself) are worth a hint. */
  readonly matters: (path: string) => boolean;
  /** What may be swapped for another as a whole, through a symlink or by deleting and making it anew. */
  readonly swapped: string;
}

interface Watching {
  readonly hint: () => void;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
}

/** How often to look for swaps, and for everything where the system has no watches left. */
const LOOK_MS = 1000;
/** Before watching again. */
const PAUSE_MS = 100;

/**
 * Calls `hint` whenever it begins to watch, and for changes in the tree, until `signal` aborts. It watches from the
 * deepest folder above `top` that exists, and anew after each swap: chokidar is deaf to a root that is deleted and
 * comes back, to one that was missing, and to some swapped symlinks (dependencies 2.1). Hints may be too many.
 */
export async function watchTree(tree: Tree, { hint, signal, clock, log }: Watching): Promise<void> {
  let polling = false;
  while (!signal.aborted) {
    const root = deepestFolderAbove(tree.top);
    const round = new AbortController();
    const watcher: FSWatcher = watcherOf(tree, root, polling).on('all', hint).on('ready', hint);
    const end = await Promise.race<End>([
      failed(watcher),
      swapped([tree.swapped, root], clock, round.signal),
      aborted(signal, round.signal),
    ]);
    if (end === 'exhausted' && !polling) log.warn({ path: root }, EXHAUSTED);
    polling ||= end === 'exhausted';
    round.abort();
    await watcher.close();
    await clock.sleep(end === 'failed' ? LOOK_MS : PAUSE_MS, signal);
  }
}

const EXHAUSTED =
  'the system has no watches left, so the manifest is looked at every second instead; raise fs.inotify.max_user_watches and fs.inotify.max_user_instances, and start again';

type End = 'aborted' | 'swapped' | 'exhausted' | 'failed';

function watcherOf(tree: Tree, root: string, usePolling: boolean): FSWatcher {
  const isIgnored = (path: string): boolean =>
    !isOnTheWay(path, tree.top) && !(isInside(path, tree.top) && tree.matters(path));
  return watch(root, { ignoreInitial: true, usePolling, interval: LOOK_MS, ignored: isIgnored });
}

const failed = (watcher: FSWatcher): Promise<End> =>
  new Promise((resolve) =>
    watcher.on('error', (error) => resolve(isExhausted(error) ? 'exhausted' : 'failed')),
  );

/** inotify's limits show as these (`fs.inotify.max_user_watches`, `max_user_instances`). */
export function isExhausted(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EMFILE' || code === 'ENFILE';
}

async function swapped(paths: readonly string[], clock: Clock, signal: AbortSignal): Promise<End> {
  const before = await identities(paths);
  while (!signal.aborted && (await identities(paths)) === before) await clock.sleep(LOOK_MS, signal);
  return 'swapped';
}

/** The same text as long as each path leads to the very same thing. */
async function identities(paths: readonly string[]): Promise<string> {
  const each = paths.map((path) => identity(path).catch(() => 'missing'));
  return (await Promise.all(each)).join('\n');
}

/** Inode numbers are used again, so the time of birth has to agree as well. */
async function identity(path: string): Promise<string> {
  const { ino, birthtimeMs } = await stat(path);
  return `${await realpath(path)} ${String(ino)} ${String(birthtimeMs)}`;
}

function aborted(signal: AbortSignal, round: AbortSignal): Promise<End> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('aborted');
    signal.addEventListener('abort', () => resolve('aborted'), { once: true, signal: round });
  });
}

function deepestFolderAbove(path: string): string {
  const parent = dirname(path);
  return parent === path || existsSync(parent) ? parent : deepestFolderAbove(parent);
}

/** `path` is a folder above `top`. */
const isOnTheWay = (path: string, top: string): boolean =>
  path === dirname(path) || top.startsWith(path + sep);

const isInside = (path: string, top: string): boolean => path === top || path.startsWith(top + sep);
