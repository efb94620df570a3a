import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Random, seedOf } from '../support/random.ts';
import { stackOf, type Field } from './field.ts';
import { addressField } from './fields/address.ts';
import { engineField } from './fields/engine.ts';
import { healthField } from './fields/health.ts';
import { logField } from './fields/log.ts';
import { manifestField } from './fields/manifest.ts';
import { registryField } from './fields/registry.ts';
import { Watchdog } from './watchdog.ts';

export interface FuzzOrder {
  readonly seed: number;
  /** Only this one; else one after the other until `untilMs`. */
  readonly only?: number;
  /** Only these, by their names; else all. */
  readonly fields?: readonly string[];
  /** Unix ms. */
  readonly untilMs: number;
  /** Told of each broken law. */
  readonly say: (line: string) => void;
}

export interface Fuzzed {
  readonly cases: Readonly<Record<string, number>>;
  /** How it is repeated, and the laws it broke. */
  readonly broken: readonly string[];
  /** Growth of the heap from the first round to the last. */
  readonly grownMb: number;
}

/** Processor time for one case: nothing here is long, so that what takes seconds grows without a bound. */
const MOST_CPU_MS = 4_000;
/** Cases after which everything that is made once has been made. */
const WARM = 200;
/** Kinds of broken laws after which it is enough. */
const ENOUGH = 25;

/** Tries inputs that other people could write. The n-th case of a seed is the same wherever it is tried. */
export async function fuzz(order: FuzzOrder): Promise<Fuzzed> {
  const fields = [
    manifestField(),
    await healthField(),
    await registryField(),
    await engineField(),
    await logField(),
    addressField(),
  ];
  const watchdog = new Watchdog(order.seed);
  try {
    return await tryAll(order, fields, watchdog);
  } finally {
    watchdog.close();
    await Promise.all(fields.map((field) => field.close()));
  }
}

async function tryAll(
  { seed, only, untilMs, say, fields: wanted }: FuzzOrder,
  fields: readonly Field[],
  watchdog: Watchdog,
): Promise<Fuzzed> {
  const cases: Record<string, number> = Object.fromEntries(fields.map(({ name }) => [name, 0]));
  const broken: string[] = [];
  const known = new Set<string>();
  let heapAtFirst: number | null = null;
  for (let nth = only ?? 0; only === undefined ? Date.now() < untilMs : nth === only; nth += 1) {
    const field = fields[nth % fields.length];
    if (field === undefined || broken.length >= ENOUGH) break;
    if (wanted?.includes(field.name) === false) continue;
    watchdog.begin(nth);
    const found = await tryOne(field, new Random(seedOf(seed, nth)));
    cases[field.name] = (cases[field.name] ?? 0) + 1;
    for (const law of found.filter((one) => isNews(known, `${field.name}: ${one}`))) {
      broken.push(`${field.name}: ${law}\n    again: npm run fuzz -- --seed ${seed} --case ${nth}`);
      say(broken.at(-1) ?? '');
    }
    if (nth === WARM) heapAtFirst = heapMb();
  }
  return { cases, broken, grownMb: heapAtFirst === null ? 0 : heapMb() - heapAtFirst };
}

/** One of a kind is told: the next ones only say the same of other values. A stack's kind is where it was thrown. */
function isNews(known: Set<string>, law: string): boolean {
  const [first = '', second = ''] = law.split('\n');
  const kind = second.includes(' at ') ? second : first.slice(0, 40);
  if (known.has(kind)) return false;
  known.add(kind);
  return true;
}

async function tryOne(field: Field, random: Random): Promise<string[]> {
  const before = process.cpuUsage();
  try {
    const found = await field.attempt(random);
    const { user, system } = process.cpuUsage(before);
    const cpuMs = (user + system) / 1_000;
    return cpuMs > MOST_CPU_MS ? [...found, `takes ${Math.round(cpuMs)} ms of processor time`] : found;
  } catch (error) {
    return [`throws: ${stackOf(error)}`];
  }
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapMb(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed / 1_048_576;
}
