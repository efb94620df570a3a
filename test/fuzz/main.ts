// Inputs that other people could write, tried on the real functions:
//   npm run fuzz -- --minutes 30          for so long
//   npm run fuzz -- --seed 7 --case 1234  one of them again
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string' },
    case: { type: 'string' },
    field: { type: 'string', multiple: true },
  },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
console.log(`seed ${seed}`);
const begun = Date.now();
const { cases, broken, grownMb } = await fuzz({
  seed,
  untilMs: begun + Number(values.minutes) * 60_000,
  say: (line) => console.log(line),
  ...(values.field === undefined ? {} : { fields: values.field }),
  ...(values.case === undefined ? {} : { only: Number(values.case) }),
});
const total = Object.values(cases).reduce((sum, count) => sum + count, 0);
const each = Object.entries(cases).map(([name, count]) => `${name} ${count}`);
console.log(`${total} cases in ${((Date.now() - begun) / 60_000).toFixed(1)} minutes: ${each.join(', ')}`);
console.log(`${broken.length} broken laws; the heap grew by ${grownMb.toFixed(0)} MB`);
process.exitCode = broken.length === 0 ? 0 : 1;
