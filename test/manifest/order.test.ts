import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dependencyOrder } from '../../src/manifest/order.ts';

const server = (name: string, ...dependsOn: string[]) => ({ name, dependsOn });
const namesOf = (...servers: ReturnType<typeof server>[]) => dependencyOrder(servers).map(({ name }) => name);

describe('the order of dependencies', () => {
  it('is the order of the manifest where nothing depends', () => {
    expect(namesOf(server('b'), server('a'))).toEqual(['b', 'a']);
  });

  it('puts what is needed first, names that are not there aside', () => {
    expect(namesOf(server('a', 'b', 'nowhere'), server('b', 'c'), server('d'), server('c'))).toEqual([
      'c',
      'b',
      'a',
      'd',
    ]);
  });

  it('keeps every server once, even of a circle', () => {
    expect(namesOf(server('a', 'b'), server('b', 'a'), server('c', 'c')).sort()).toEqual(['a', 'b', 'c']);
  });

  it('holds for every manifest without a circle', () => {
    const graph = fc
      .array(fc.array(fc.nat(20), { maxLength: 4 }), { maxLength: 20 })
      .map((rows) =>
        rows.map((needs, index) =>
          server(`s${index}`, ...needs.filter((need) => need < index).map((need) => `s${need}`)),
        ),
      );
    fc.assert(
      fc.property(
        graph.chain((servers) => fc.shuffledSubarray(servers, { minLength: servers.length })),
        (servers) => {
          const place = new Map(dependencyOrder(servers).map(({ name }, index) => [name, index]));
          expect(place.size).toBe(servers.length);
          for (const { name, dependsOn } of servers) {
            for (const need of dependsOn) expect(place.get(need)).toBeLessThan(place.get(name) ?? -1);
          }
        },
      ),
    );
  });
});
