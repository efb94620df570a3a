import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/**
 * Where the packages `wanted`, and all that they need at run time, lie below `root`, by its package-lock.json.
 * Throws when a package is not there.
 */
export async function installedModules(root: string, wanted: readonly string[]): Promise<string[]> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const found = new Set<string>();
  const open = wanted.map((name) => locate(lock.packages, '', name));
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    const from = path;
    const needs = Object.keys(lock.packages[path]?.dependencies ?? {});
    open.push(...needs.map((name) => locate(lock.packages, from, name)));
  }
  // A package inside another one comes with it.
  return [...found].filter((path) => path.lastIndexOf('/node_modules/') === -1).sort();
}

/** As node finds it: nearest first. */
function locate(packages: Readonly<Record<string, LockedPackage>>, from: string, name: string): string {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (path in packages) return path;
    if (folder === '') throw new Error(`${name} is not in package-lock.json: run npm ci`);
  }
}
