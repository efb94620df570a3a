import type { DesiredServer } from '../model/desired.ts';
import type { ServerMemory } from '../model/memory.ts';

/** Versions that would be a step back. What was set aside is no floor: a fix between it and what runs is welcome. */
export function leftBehind(
  { entry }: Pick<DesiredServer, 'entry'>,
  { resolved, promoted, quarantined }: ServerMemory,
): string[] {
  const reverted = quarantined.filter(({ gate }) => gate === 'reverted').map(({ version }) => version);
  const isBarred = quarantined.some(({ imageDigest }) => imageDigest === resolved?.imageDigest);
  const wanted = resolved?.entry === entry && !isBarred ? resolved.version : null;
  const answers = quarantined.some(({ spec }) => spec === promoted?.spec) ? null : promoted?.version;
  return [...reverted, wanted, answers].filter((version) => version != null);
}
