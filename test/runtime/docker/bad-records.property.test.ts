import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import type { Sighting } from '../../../src/model/observed.ts';
import { makePlan } from '../../../src/plan/plan.ts';
import { readEvent, takeIn } from '../../../src/runtime/docker/events.ts';
import { News } from '../../../src/runtime/docker/news.ts';
import { dockerRuntime } from '../../../src/runtime/index.ts';
import { world } from '../../support/world.ts';

/** What Docker 20.10 really said of two servers, `one` and `two`, that were live and untouched. */
const recorded = JSON.parse(
  await readFile(new URL('real-answers/docker-20.10.json', import.meta.url), 'utf8'),
) as { readonly reference: string; readonly answers: Record<string, unknown> };
const signal = new AbortController().signal;
const runs = process.env['CI'] === undefined ? 40 : 120;

let answers: Record<string, unknown> = recorded.answers;
let server: Server;
let folder: string;
let socket: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bad-records-'));
  socket = join(folder, 'docker.sock');
  server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '').replace(/^\/v[\d.]+|\?.*$/g, ''));
    const answer = answers[`${request.method} ${path}`];
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { message: `no such thing: ${path}` }));
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

const look = (): Promise<Sighting> =>
  dockerRuntime({
    address: socket,
    clock: systemClock,
    owner: 'recorded',
    publishAddress: '127.0.0.1',
  }).observe([recorded.reference], signal);

describe('a look never fails for one bad record', () => {
  it('sees two live servers in what a real engine said', async () => {
    const { instances, images, engine } = await look();
    expect(instances.map(({ name, joined, drift }) => [name, joined, drift])).toEqual([
      ['two-i-0001', true, []],
      ['one-i-0001', true, []],
    ]);
    expect(images).toEqual([recorded.reference]);
    expect(engine.startedAt).toBeGreaterThan(0);
  });

  it(
    'sees the other server as it is, and decides, whatever the engine says of one',
    { timeout: 120_000 },
    async () => {
      const whole = (await look()).instances.find(({ server: name }) => name === 'two');
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...placesOf(recorded.answers).filter(isOfOne)),
          oddities,
          async (at, odd) => {
            answers = changed(recorded.answers, at, odd);
            const sighting = await look();
            expect(sighting.instances.find(({ server: name }) => name === 'two')).toEqual(whole);
            expect(() => makePlan(world({ one: {}, two: {} }, { sighting }))).not.toThrow();
          },
        ),
        { numRuns: runs },
      );
      answers = recorded.answers;
    },
  );

  it('sees both when what it says of itself or of their image is odd', { timeout: 120_000 }, async () => {
    const shared = placesOf(recorded.answers).filter((at) =>
      /info|bridge|images|Version|Os|Arch/.test(at.join(' ')),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...shared.filter(isNotVital)), oddities, async (at, odd) => {
        answers = changed(recorded.answers, at, odd);
        const sighting = await look();
        expect(sighting.instances).toHaveLength(2);
        expect(() => makePlan(world({ one: {}, two: {} }, { sighting }))).not.toThrow();
      }),
      { numRuns: runs / 2 },
    );
    answers = recorded.answers;
  });

  it('believes no spec on a label that the planner could not read', () => {
    const at = ['GET /containers/json', '1', 'Labels', 'io.liminalcommons.mcp-orchestration.spec'];
    const spec = JSON.parse(String(valueAt(recorded.answers, at))) as Record<string, unknown>;
    return fc.assert(
      fc.asyncProperty(fc.constantFrom(...placesOf(spec)), oddities, async (place, odd) => {
        const label = JSON.stringify(changed(spec, place, odd));
        const one = String(valueAt(recorded.answers, ['GET /containers/json', '1', 'Id']));
        const own = [`GET /containers/${one}/json`, 'Config', 'Labels', at[3] ?? ''];
        answers = changed(changed(recorded.answers, at, label), own, label);
        const sighting = await look();
        answers = recorded.answers;
        expect(sighting.instances).toHaveLength(2);
        expect(() => makePlan(world({ one: { entry: null }, two: {} }, { sighting }))).not.toThrow();
      }),
      { numRuns: runs / 2 },
    );
  }, 120_000);

  it('passes over an event that nobody can read', () => {
    const event = {
      Type: 'container',
      Action: 'die',
      Actor: { ID: 'c1', Attributes: { 'io.liminalcommons.mcp-orchestration.owner': 'recorded' } },
      timeNano: 1_795_000_000_123_456_789,
    };
    const any = fc.oneof(
      fc.tuple(fc.constantFrom(...placesOf(event)), oddities).map(([at, odd]) => changed(event, at, odd)),
      oddities,
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(any, (raw) => {
        const read = readEvent(raw);
        if (read !== null) takeIn(read, new News(), 'recorded');
      }),
    );
  });
});

type Place = readonly string[];

const oddities = fc.constantFrom<unknown>(
  undefined,
  null,
  7,
  -1,
  '',
  'odd',
  true,
  [],
  [null],
  {},
  { a: null },
);

/** Every place in a value, its members first. */
function placesOf(value: unknown, above: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => [
    [...above, key],
    ...placesOf(member, [...above, key]),
  ]);
}

/** In the list, or in what is said of it alone. */
function isOfOne([answer = '', ...rest]: Place): boolean {
  const one = String(valueAt(recorded.answers, ['GET /containers/json', '1', 'Id']));
  return answer === 'GET /containers/json' ? rest[0] === '1' : answer.includes(one);
}

/** An engine without an answer at all, or that does not say which API it speaks, is none: that is told, with advice. */
const isNotVital = (at: Place): boolean => at.length > 1 && at.join(' ') !== 'GET /version ApiVersion';

const valueAt = (value: unknown, at: Place): unknown =>
  at.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], value);

/** undefined: without it. */
function changed<T>(value: T, at: Place, odd: unknown): T {
  const copy = structuredClone(value);
  const holder = valueAt(copy, at.slice(0, -1)) as Record<string, unknown>;
  const key = at.at(-1) ?? '';
  if (odd === undefined && Array.isArray(holder)) holder.splice(Number(key), 1);
  else if (odd === undefined) delete holder[key];
  else holder[key] = odd;
  return copy;
}
