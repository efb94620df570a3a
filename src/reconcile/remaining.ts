import type { ServerMemory } from '../model/memory.ts';
import type { Instance } from '../model/observed.ts';
import type { Spec } from '../model/spec.ts';
import { isBarred, isMadeOf, isSetAside, type Deployable } from '../plan/choice.ts';
import { leftBehind } from '../plan/floor.ts';
import { keepsTo } from './candidates.ts';

/** What is left to choose from when the version that an entry went to was set aside. */
export interface Remaining {
  /** Nothing at or below any of these. */
  readonly above: readonly string[];
  /** Where nothing newer is found: the image of what runs; null: not that. */
  readonly kept: Pick<Spec, 'image' | 'imageDigest'> | null;
  /** Then what the entry itself names may be gone to. */
  readonly named: boolean;
}

/** `own`: its copies, what answers first. */
export function remainingOf(server: Deployable, memory: ServerMemory, own: readonly Instance[]): Remaining {
  const standIn = standInOf(memory, own);
  const failsNow = standIn !== null && isBarred(memory, standIn.imageDigest);
  // It answers with the entry as it is: what fails besides, such as a new value of a secret, is no reason to go below it.
  if (failsNow && isMadeOf(server.blueprint, standIn))
    return { above: leftBehind(server, memory), kept: null, named: false };
  const reverted = memory.quarantined.filter(({ gate }) => gate === 'reverted');
  const floors = reverted.flatMap(({ version }) => version ?? []);
  const back = reverted.length > 0;
  const kept = own.find(
    ({ spec }) =>
      spec !== null && keepsTo(server, spec.image, { back }) && !isBarred(memory, spec.imageDigest),
  );
  return {
    above: failsNow ? floors : leftBehind(server, memory),
    kept: kept?.spec ?? null,
    named: true,
  };
}

/** What answers in the meantime, or would. */
function standInOf(memory: ServerMemory, own: readonly Instance[]): Spec | null {
  const usable = own.filter(({ specDigest }) => !isSetAside(memory, specDigest));
  const found =
    usable.find(({ joined }) => joined) ?? usable.find(({ specDigest }) => specDigest === memory.stable);
  return found?.spec ?? null;
}
