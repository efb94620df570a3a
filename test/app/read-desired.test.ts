import { expect, it } from 'vitest';
import { readDesiredBy } from '../../src/app/read-desired.ts';
import { defaultPolicy } from '../../src/manifest/policy.ts';

const read = (text: string): ReturnType<ReturnType<typeof readDesiredBy>> =>
  readDesiredBy(defaultPolicy)(
    { content: Buffer.from(text), file: 'ecosystem-manifest.yaml', revision: 'r', source: 's' },
    () => 'trace',
  );

it('a format that is not ours is told to people with its place, to programs in the words that they look for', async () => {
  expect(await read('servers: []\nversion: "2.0"\n')).toEqual({
    ok: false,
    error: {
      error: expect.stringMatching(/^ecosystem-manifest\.yaml:2:.*2\.0/m) as string,
      details: {
        error: 'Schema version mismatch',
        registry_version: '2.0',
        expected: '>=1.0.0 <1.2.0',
      },
    },
  });
});

it('any other mistake is told to both alike', async () => {
  expect(await read('version: "1.1"\nservers: 1\n')).toEqual({
    ok: false,
    error: { error: expect.stringContaining('servers') as string },
  });
});
