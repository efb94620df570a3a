import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { defaultPolicy } from '../../src/manifest/policy.ts';
import { readManifest } from '../../src/manifest/read.ts';
import { resolveManifest } from '../../src/manifest/resolve.ts';
import type { Manifest } from '../../src/manifest/schema/manifest.ts';
import { validateManifest } from '../../src/manifest/validate.ts';
import { bytes, entry, manifestOf, read } from './support.ts';

const context = { revision: 'abc', source: 'somewhere', traceId: 'trace', policy: defaultPolicy };

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const seconds = fc.integer({ min: 1, max: 60 });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

/** Entries that are valid whatever is chosen. */
const entries = fc
  .uniqueArray(word, { minLength: 1, maxLength: 5 })
  .chain((names) => fc.tuple(...names.map((name) => entryNamed(name))));

function entryNamed(name: string): fc.Arbitrary<object> {
  const docker = fc.record(
    {
      image: fc.constantFrom('liminalcommons/a', 'ghcr.io/x/a', 'a'),
      port: fc.integer({ min: 1, max: 65_535 }),
      command: fc.array(
        fc.string().filter((text) => !text.includes('\0')),
        { maxLength: 3 },
      ),
      read_only_root: fc.boolean(),
    },
    { requiredKeys: ['image', 'port'] },
  );
  return fc
    .record({
      version: fc.constantFrom('1.0.0', '2.3.4'),
      docker,
      description: maybe(fc.string()),
      auto_update: maybe(fc.boolean()),
      version_strategy: maybe(fc.constantFrom('pinned', 'semantic', 'latest')),
      restart_policy: maybe(fc.constantFrom('always', 'on-failure', 'unless-stopped')),
      config: maybe(
        fc.record({ env: fc.dictionary(fc.stringMatching(/^[A-Z]{1,8}$/), fc.stringMatching(/^[ -~]*$/)) }),
      ),
      health_check: maybe(fc.record({ interval_seconds: seconds.map((n) => n + 5) })),
      paused: maybe(fc.boolean()),
    })
    .map((fields) => JSON.parse(JSON.stringify({ name, ...fields })) as object);
}

describe('any bytes', () => {
  const everything = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.string({ unit: 'binary', maxLength: 300 }).map(bytes),
    fc.json().map(bytes),
    fc.json().map((json) => bytes(`{"version": "1.1", "servers": [${json}]}`)),
  );
  const damaged = fc
    .tuple(fc.nat(400), fc.nat(20), fc.string({ maxLength: 10 }))
    .map(([at, length, text]) => {
      const whole = stringify(JSON.parse(manifestOf([entry({ depends_on: ['b'] }), entry({ name: 'b' })])));
      return bytes(whole.slice(0, at) + text + whole.slice(at + length));
    });

  it('are read or refused, and never throw', () => {
    fc.assert(
      fc.property(fc.oneof(everything, damaged), (content) => {
        const { problems, desired } = validateManifest({ content, file: 'm.yaml' }, defaultPolicy);
        if (desired === null) expect(problems.length).toBeGreaterThan(0);
        for (const { line, column, message, advice } of problems) {
          expect(line).toBeGreaterThanOrEqual(0);
          expect(column).toBeGreaterThanOrEqual(0);
          expect(message.length * advice.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 1_500 },
    );
  });

  it('that are refused always say so in the event', () => {
    fc.assert(
      fc.property(everything, (content) => {
        const result = readManifest({ content, file: 'm.yaml' });
        expect(result.ok || result.error.details.error.length > 0).toBe(true);
      }),
    );
  });
});

describe('a valid manifest', () => {
  it('resolves to the same state every time, and through JSON', () => {
    fc.assert(
      fc.property(entries, (servers) => {
        const result = read(manifestOf(servers));
        if (!result.ok) throw new Error(JSON.stringify(result.error.problems));
        const { manifest } = result.value;
        const desired = resolveManifest(manifest, context);
        expect(resolveManifest(manifest, context)).toEqual(desired);
        expect(resolveManifest(JSON.parse(JSON.stringify(manifest)) as Manifest, context)).toEqual(desired);
        expect(JSON.parse(JSON.stringify(desired))).toEqual(desired);
      }),
    );
  });

  it('has the same entry hashes however it is written', () => {
    fc.assert(
      fc.property(entries, (servers) => {
        const document = { version: '1.1', servers };
        const block = `# a comment\n${stringify(reversed(document), { indent: 4, lineWidth: 40 })}\n# the end\n`;
        expect(hashes(block)).toEqual(hashes(JSON.stringify(document)));
      }),
    );
  });
});

function hashes(text: string): readonly string[] {
  const result = read(text);
  if (!result.ok) throw new Error(`${text}\n${JSON.stringify(result.error.problems)}`);
  return resolveManifest(result.value.manifest, context).servers.map(({ entry: hash }) => hash);
}

/** The same value with the keys of every mapping in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}
