import type { DesiredServer } from '../../../src/model/desired.ts';
import type { Instance } from '../../../src/model/observed.ts';
import type { Spec } from '../../../src/model/spec.ts';
import type { Decision } from '../../../src/model/step.ts';
import type { World } from '../../../src/model/world.ts';
import { isBarred, isMadeOf } from '../../../src/plan/choice.ts';
import { entryOf, instancesOf, memoryOf } from '../../../src/plan/view.ts';

/** A version that its registry has, and whether its container is good with the entry as merged. */
export interface Offer {
  readonly imageDigest: string;
  readonly isGood: boolean;
}

export type Verdict =
  /** What git says runs. */
  | 'as git says'
  /** Every version of the entry as merged was set aside. */
  | 'no version bears it'
  /** A rule says why not, in the decision. */
  | 'held'
  | 'strays';

/** What a decision may say where something else than what git says is to stay. */
const rules = [
  /^a person stopped it$/,
  /^it ended by itself$/,
  /^waits for .* to be ready$/,
  /^paused/,
  /^recovery is turned off/,
];

/**
 * How a world that came to rest stands to what git says of one server that should run. `offers`: what the entry may go
 * to, the best first.
 */
export function verdictOf(world: World, decision: Decision, offers: readonly Offer[]): Verdict {
  const entry = entryOf(world, decision.server);
  const memory = memoryOf(world, decision.server);
  if (entry === undefined) return 'strays';
  const joined = instancesOf(world, decision.server).filter((one) => one.joined);
  const live = joined.find(({ id }) => id === memory.promoted?.container) ?? joined.at(-1);
  if (decision.held !== null || rules.some((rule) => rule.test(decision.why))) return 'held';
  if (live !== undefined && isOwn(entry, live, offers)) return 'as git says';
  const barred = offers.every(({ imageDigest }) => isBarred(memory, imageDigest));
  return barred && offers.length > 0 ? 'no version bears it' : 'strays';
}

function isOwn({ blueprint }: DesiredServer, { spec }: Instance, offers: readonly Offer[]): boolean {
  if (spec === null || blueprint === null) return false;
  return isMadeOf(blueprint, spec) && offers.some((offer) => isOf(spec, offer));
}

const isOf = ({ imageDigest }: Spec, offer: Offer): boolean => imageDigest === offer.imageDigest;
