import { parseImage } from '../../../src/manifest/image.ts';
import type { Resolved, ServerMemory } from '../../../src/model/memory.ts';
import type { Instance } from '../../../src/model/observed.ts';
import { isBarred, resolvedFor, type Deployable } from '../../../src/plan/choice.ts';
import { leftBehind } from '../../../src/plan/floor.ts';
import { isOlder, newerVersions } from '../../../src/plan/versions.ts';
import { keepsTo } from '../../../src/reconcile/candidates.ts';
import { remainingOf } from '../../../src/reconcile/remaining.ts';

export const digestOfNumber = (number: number): string => `sha256:1.0.${number}`;
export const numberOfDigest = (digest: string): number => Number(digest.slice('sha256:1.0.'.length));

export type Chosen = Pick<Resolved, 'image' | 'imageDigest' | 'askedDigest'>;

/** One repository as a registry has it: version `1.0.n` for each n below `versions`; `latest` is the last of them. */
export interface Shelf {
  readonly server: Deployable;
  readonly memory: ServerMemory;
  readonly versions: number;
  /** Its copies, what answers first. */
  readonly own: readonly Instance[];
}

/** What an entry stands for that was not looked at yet. */
export function firstChoice(shelf: Shelf): Chosen {
  const { server, own } = shelf;
  const back = leaves(shelf) !== null;
  const kept = own.find(({ spec }) => spec !== null && keepsTo(server, spec.image, { back }))?.spec;
  if (kept != null) return { image: kept.image, imageDigest: kept.imageDigest };
  const asked = askedOf(shelf);
  const newer = back || !server.autoUpdate ? null : newest(shelf);
  return { ...asked, askedDigest: asked.imageDigest, ...newer };
}

/** What a commit that lowers the version leaves; null: it lowers none. */
export function leaves({ server, memory: { resolved: left } }: Shelf): Resolved | null {
  if (left === null || left.entry === server.entry) return null;
  const [now, before] = [server.blueprint.image, left.asked ?? left.image].map(
    (image) => parseImage(image).tag ?? '',
  );
  return isOlder(now ?? '', before ?? '') ? left : null;
}

/** The best that was not set aside; null: none is left. `away`: the registry does not answer. */
export function nextChoice(shelf: Shelf, away: boolean): Chosen | null | 'unknown' {
  const { server, memory, own } = shelf;
  const { above, kept, named } = remainingOf(server, memory, own);
  const ripe = server.autoUpdate && !away ? newest(shelf, above) : null;
  if (ripe !== null || kept !== null || !named) return ripe ?? kept;
  const known = memory.resolved?.askedDigest;
  if (known === undefined && away) return 'unknown';
  const asked = known === undefined ? askedOf(shelf) : { ...askedOf(shelf), imageDigest: known };
  return isBarred(memory, asked.imageDigest) ? null : asked;
}

/** What is newer than what is wanted now; null: nothing. */
export function newest(
  shelf: Shelf,
  above: readonly string[] = leftBehind(shelf.server, shelf.memory),
): Chosen | null {
  const { server, memory } = shelf;
  const now = resolvedFor(server, memory)?.imageDigest;
  const all = server.strategy === 'latest' ? [askedOf(shelf)] : newerOf(shelf, above);
  return all.find(({ imageDigest }) => imageDigest !== now && !isBarred(memory, imageDigest)) ?? null;
}

function newerOf({ server, versions }: Shelf, above: readonly string[]): Chosen[] {
  const { strategy, versionRange, exclude, blueprint } = server;
  const { repository, tag: current } = parseImage(blueprint.image);
  const tags = Array.from({ length: versions }, (_one, number) => `1.0.${number}`);
  return newerVersions({ strategy, current, above, versionRange, exclude, tags }).map((tag) => ({
    image: `${repository}:${tag}`,
    imageDigest: `sha256:${tag}`,
  }));
}

export function askedOf({ server, versions }: Shelf): Chosen {
  const { image } = server.blueprint;
  const { tag } = parseImage(image);
  return { image, imageDigest: tag === 'latest' ? digestOfNumber(versions - 1) : `sha256:${tag ?? ''}` };
}
