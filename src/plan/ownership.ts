import type { Memory } from '../model/memory.ts';
import type { Instance, Sighting, Stranger } from '../model/observed.ts';
import { memoryOf } from './view.ts';

/** An engine in a machine of its own may be so much ahead of us. Milliseconds. */
const TOLERATED_MS = 60_000;

/**
 * Ours is what we made. Labels prove nothing: `docker commit` copies them. The log names every container that was made
 * since it began; what is older, or of a time of which the log says nothing, is believed when it bears the very name that its labels say, which a copy cannot have
 * beside it, and was made from the image that its spec names, which a copy is not. All else is a stranger.
 */
export function withoutCopies(sighting: Sighting, memory: Memory): Sighting {
  const copies = sighting.instances.filter((instance) => !isOurs(instance, memory));
  if (copies.length === 0) return sighting;
  return {
    ...sighting,
    instances: sighting.instances.filter((instance) => !copies.includes(instance)),
    strangers: [...sighting.strangers, ...copies.map(asStranger)],
  };
}

function isOurs(instance: Instance, memory: Memory): boolean {
  const { made } = memoryOf({ memory }, instance.server);
  if (made.some(({ container }) => container === instance.id)) return true;
  if (instance.name !== `${instance.server}-${instance.instance}`) return false;
  const known = made.find((one) => one.instance === instance.instance);
  if (known !== undefined) return known.container === null;
  return isOutsideLog(instance, memory) && isOfItsImage(instance);
}

function isOutsideLog({ createdAt }: Instance, { since, silences }: Memory): boolean {
  if (since === null || createdAt <= since + TOLERATED_MS) return true;
  return silences.some(({ from, to }) => createdAt >= from - TOLERATED_MS && createdAt <= to + TOLERATED_MS);
}

const isOfItsImage = ({ spec, drift }: Instance): boolean =>
  spec !== null && !drift.includes('image') && !drift.includes('unreadable');

/** What its labels say of a port is the port of the one that it was copied from. */
const asStranger = ({ id, name, server }: Instance): Stranger => ({
  name,
  server: /^(.+)-i-[0-9a-z]+$/.exec(name)?.[1] ?? name,
  hostPorts: [],
  claims: { container: id, server },
});
