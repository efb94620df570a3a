import type { DesiredServer } from '../model/desired.ts';
import type { ServerMemory } from '../model/memory.ts';
import { repositoryOf } from '../model/spec.ts';
import { leftBehind } from './floor.ts';
import { isOlder, newerVersions } from './versions.ts';

/** A version that git should be told of. */
export interface Untold {
  /** With its tag. */
  readonly image: string;
  readonly tag: string;
  readonly version: string | null;
  readonly why: string;
}

/**
 * What the manifest should say of a server and does not: where updates are only told, the best there is to go to; where
 * they are taken, what lasted its soak. Once a version, until the entry changes. Only `semantic` moves a version.
 */
export function untoldVersion(server: DesiredServer, memory: ServerMemory, now: number): Untold | null {
  const { blueprint, refusal, strategy, desiredState } = server;
  if (blueprint === null || refusal !== null || desiredState !== 'running') return null;
  if (strategy !== 'semantic' || memory.resolved?.entry !== server.entry) return null;
  const untold = server.autoUpdate
    ? provenVersion(blueprint.image, memory)
    : offeredVersion(server, memory, { image: blueprint.image, now });
  return untold?.image === memory.writtenBack ? null : untold;
}

/** The bump changes the entry, and a changed entry forgets what was set aside: so nothing may be. */
function provenVersion(written: string, memory: ServerMemory): Untold | null {
  const { resolved, stableImages, rollout, quarantined } = memory;
  if (resolved === null || rollout !== null || quarantined.length > 0) return null;
  const { image, imageDigest, version } = resolved;
  const lasted = stableImages.at(-1) === imageDigest && repositoryOf(image) === repositoryOf(written);
  if (!lasted || !isOlder(tagOf(written), tagOf(image))) return null;
  return { image, tag: tagOf(image), version, why: 'it runs and lasted its soak' };
}

function offeredVersion(
  server: DesiredServer,
  memory: ServerMemory,
  { image: written, now }: { readonly image: string; readonly now: number },
): Untold | null {
  const { strategy, versionRange, exclude, minAgeSeconds } = server;
  const barred = new Set(memory.quarantined.map(({ imageDigest }) => imageDigest));
  const offers = Object.entries(memory.found).flatMap(([digest, { at, image, version }]) => {
    const isRipe = now - at >= minAgeSeconds * 1_000 && !barred.has(digest);
    const isOurs = image !== undefined && repositoryOf(image) === repositoryOf(written);
    return isRipe && isOurs ? [{ image, tag: tagOf(image), version }] : [];
  });
  const tags = offers.map(({ tag }) => tag);
  const above = leftBehind(server, memory);
  const [best] = newerVersions({ strategy, current: tagOf(written), above, versionRange, exclude, tags });
  const offer = offers.find(({ tag }) => tag === best);
  return offer === undefined ? null : { ...offer, why: 'the registry has it, and auto_update is off' };
}

const tagOf = (image: string): string => image.slice(repositoryOf(image).length + 1);
