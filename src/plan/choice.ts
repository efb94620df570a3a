import type { DesiredServer } from '../model/desired.ts';
import type { Resolved, ServerMemory } from '../model/memory.ts';
import { isEqual } from '../lib/equal.ts';
import { sealSpec, type Blueprint, type Spec } from '../model/spec.ts';

export type Deployable = DesiredServer & { readonly blueprint: Blueprint };

/** The strategy, not the moment, decides: its version does not move. */
export const isFixed = ({ strategy, blueprint }: DesiredServer): boolean =>
  strategy === 'pinned' || blueprint === null || blueprint.image.includes('@');

export const follows = (server: DesiredServer): server is Deployable =>
  !isFixed(server) && server.refusal === null && server.desiredState === 'running';

/** The image of this very entry, as far as it has been found out; null: not yet, or it is that of an earlier entry. */
export function resolvedFor(
  { entry }: Pick<DesiredServer, 'entry'>,
  { resolved }: ServerMemory,
): Resolved | null {
  return resolved?.entry === entry ? resolved : null;
}

/** A version of this image was set aside under the entry as it is: a strategy does not go to it. */
export const isBarred = ({ quarantined }: ServerMemory, imageDigest: string): boolean =>
  quarantined.some((one) => one.imageDigest === imageDigest);

/** The stable spec never is: it is recovered. */
export const isSetAside = ({ stable, quarantined }: ServerMemory, spec: string): boolean =>
  spec !== stable && quarantined.some((one) => one.spec === spec);

/** Of an entry that follows versions the one chosen was set aside: another is to be chosen, or git would not be obeyed. */
export const mustChooseAgain = (server: DesiredServer, memory: ServerMemory, wanted: string): boolean =>
  follows(server) && resolvedFor(server, memory) !== null && isSetAside(memory, wanted);

/** What the entry itself names is known, is not this, and was not set aside: it can be run instead. */
export function namesAnother(server: DesiredServer, memory: ServerMemory, imageDigest: string): boolean {
  const named = follows(server) ? resolvedFor(server, memory)?.askedDigest : undefined;
  return named !== undefined && named !== imageDigest && !isBarred(memory, named);
}

/** What was chosen has not proved itself, nothing else has, and nobody asked yet what the entry itself names. */
export function mustAskWhatIsNamed(server: DesiredServer, memory: ServerMemory): boolean {
  const resolved = follows(server) && memory.stable === null ? resolvedFor(server, memory) : null;
  return (
    resolved !== null && resolved.askedDigest === undefined && resolved.image !== server.blueprint?.image
  );
}

/** It is this entry's own, with some version and some values of its secrets. */
export function isMadeOf(blueprint: Blueprint, spec: Spec): boolean {
  const { image, imageDigest, secrets, settings } = spec;
  const again = sealSpec({ ...blueprint, image }, { imageDigest, secrets, settings });
  const names = (all: readonly { readonly name: string }[]): string[] => all.map(({ name }) => name);
  return again.digest === spec.digest && isEqual(names(secrets), names(blueprint.secrets));
}
