import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { generated, staleDocuments } from './generate/documents.ts';

/** `npm run generate` writes what the code says about itself; with `--check` it only tells what is out of date. */
const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

if (process.argv.includes('--check')) {
  const stale = staleDocuments((name) => readFileSync(pathOf(name), 'utf8'));
  for (const name of stale) console.error(`docs/${name} is out of date: npm run generate`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  for (const [name, text] of Object.entries(generated())) writeFileSync(pathOf(name), text);
}
