import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import type { ServerRecord } from '../../src/model/status.ts';
import { openStatusServer, statusReference } from '../../src/status/index.ts';
import { openApiDocument } from '../../src/status/openapi.ts';
import type { Route } from '../../src/status/route.ts';
import { routes } from '../../src/status/routes.ts';
import type { Schema } from '../../src/status/schemas.ts';
import type { StatusServer } from '../../src/status/status.ts';
import { event } from '../journal/sample.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { ask, type Got } from './ask.ts';
import { coda, github, record, view } from './view.ts';

/** As published, but without the leave to have fields that are not described. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const each = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return 'properties' in each && !('additionalProperties' in each)
    ? { ...each, additionalProperties: false }
    : each;
}

type Operation = {
  responses: Record<string, { content?: Record<string, { schema: Schema; example: unknown }> }>;
};
type Document = {
  paths: Record<string, { get: Operation; head: Operation }>;
  components: { schemas: object };
};

const options = {
  listen: { host: '127.0.0.1', port: 0 },
  token: null,
  allowHosts: [],
  clock: systemClock,
  bootId: 'b1',
  programVersion: '0.1.0',
};

let server: StatusServer;
let document: Document;
let ajv: Ajv2020;

beforeAll(async () => {
  server = await openStatusServer(options);
  document = (await ask(server.url, '/openapi.json')).json<Document>();
  ajv = new Ajv2020({ allErrors: true, strict: true, strictTypes: false, allowUnionTypes: true });
  formats.default(ajv);
  ajv.addVocabulary(['components']);
  ajv.addSchema({ $id: 'api', components: closed(document.components) });
});
afterAll(() => server.close());

const checks = new Map<string, ValidateFunction>();

function wrongIn(schema: Schema, value: unknown): unknown {
  const name = String(schema['$ref']);
  const check = checks.get(name) ?? ajv.compile({ $ref: `api${name}` });
  checks.set(name, check);
  return check(value) ? [] : check.errors;
}
const shape = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

/** Every answer is one that the document tells of, and looks as it says. */
function expectDescribed(path: string, got: Got): void {
  const described = document.paths[path]?.get.responses[String(got.code)];
  expect(described, `${path} ${got.code}`).toBeDefined();
  if (described?.content === undefined) return expect(got.bytes).toHaveLength(0);
  const media = String(got.headers['content-type']).split(';')[0] ?? '';
  const content = described.content[media];
  expect(content, `${path} ${got.code} ${media}`).toBeDefined();
  const isJson = media === 'application/json';
  expect(wrongIn(content?.schema ?? {}, isJson ? got.json() : got.bytes.toString('utf8'))).toEqual([]);
}

describe('the description', () => {
  it('is valid OpenAPI 3.1', async () => {
    expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
  });

  it('is the same as the generated one', () => {
    expect(document).toEqual(JSON.parse(JSON.stringify(openApiDocument(routes))));
  });

  it.each(routes.map((route) => [route.path, route] as const))(
    'has a true example for %s',
    (_path, route) => {
      const { responses } = document.paths[route.path]!.get;
      for (const { content = {} } of Object.values(responses))
        for (const { schema, example } of Object.values(content))
          expect(wrongIn(schema, example)).toEqual([]);
      expect(Object.keys(responses)).toContain('403');
    },
  );

  const idOf = (route: Route): string => (route.path === '/page/{id}' ? 'app.js' : 'github');
  const pathOf = (route: Route, id = idOf(route)): string => route.path.replace('{id}', id);
  /** The stream does not end by itself: it is looked at in a test of its own. */
  const ending = routes.filter((route) => route.streams === undefined);

  it.each(ending.map((route) => [route.path, route] as const))(
    'tells what %s answers before the first look',
    async (path, route) => {
      expectDescribed(path, await ask(server.url, pathOf(route)));
    },
  );

  it.each(ending.map((route) => [route.path, route] as const))(
    'tells what %s answers',
    async (path, route) => {
      server.publish(view([github, coda, record('refused', refused)]));
      server.self({ manifest: 'ok', engine: 'down', journal: 'ok' });
      server.note(event(1, { event_type: 'server_down', from: 'healthy', to: 'unhealthy' }));
      const got = await ask(server.url, pathOf(route));
      expect(got.code).toBe(200);
      expectDescribed(path, got);
      if (route.path.includes('{id}')) expectDescribed(path, await ask(server.url, pathOf(route, 'nobody')));
      const [parameter] = Object.keys(route.query);
      if (parameter !== undefined)
        expectDescribed(path, await ask(server.url, `${pathOf(route)}?${parameter}=x`));
      expectDescribed(path, await ask(server.url, pathOf(route), { headers: { 'If-None-Match': '*' } }));
    },
  );

  it.each(routes.map((route) => [route.path, route] as const))(
    'tells how %s refuses strangers, two Hosts, other methods, and answers HEAD',
    async (path, route) => {
      const asking = (options: Parameters<typeof ask>[2]) => ask(server.url, pathOf(route), options);
      const strange = await asking({ headers: { Host: 'evil.example' } });
      const paged = await asking({ headers: { Origin: 'https://evil.example' } });
      const twice = await asking({ headers: ['Host', 'localhost', 'Host', '127.0.0.1'] });
      expect([strange.code, paged.code, twice.code]).toEqual([403, 403, 400]);
      for (const got of [strange, paged, twice]) expectDescribed(path, got);
      const posted = await asking({ method: 'POST' });
      expect([posted.code, posted.headers.allow, wrongIn(shape('Error'), posted.json())]).toEqual([
        405,
        'GET, HEAD',
        [],
      ]);
      const head = await asking({ method: 'HEAD' });
      expect([head.bytes.length, document.paths[path]?.head.responses[head.code]]).toEqual([
        0,
        { description: route.summary },
      ]);
    },
  );

  it('tells what happens without the token', async () => {
    const own = await openStatusServer({ ...options, token: 'hunter2' });
    for (const route of routes) {
      const got = await ask(own.url, pathOf(route));
      expect([route.path, got.code]).toEqual([route.path, route.needs === 'nothing' ? 200 : 401]);
      expectDescribed(route.path, got);
    }
    await own.close();
  });

  it('tells of every message of the stream', async () => {
    const clock = fakeClock(Date.now());
    const own = await openStatusServer({ ...options, clock });
    own.publish(view([github, coda]));
    const asked = await fetch(`${own.url}/health/stream`);
    const seen: string[] = [];
    const reading = (async () => {
      for await (const piece of asked.body!.pipeThrough(new TextDecoderStream()))
        seen.push(...piece.split('\n').filter((line) => line.startsWith('data: ')));
    })();
    await expect.poll(() => seen.length).toBe(1);
    own.publish(view([{ ...github, phase: 'draining' }]));
    own.note(event(1, { event_type: 'revision_settled', outcome: 'applied', seconds: 1 }));
    await expect.poll(() => seen.length).toBe(4);
    await clock.advance(15_000);
    await expect.poll(() => seen.length).toBe(5);
    const closed = own.close();
    await clock.advance(1_000);
    await Promise.all([closed, reading]);
    const shapes = ['Snapshot', 'Change', 'Change', 'Change', 'Heartbeat'];
    const wrong = seen.map((line, at) => wrongIn(shape(shapes[at] ?? ''), JSON.parse(line.slice(6))));
    expect(wrong).toEqual(shapes.map(() => []));
  });

  it('is true of every answer while much changes and many ask', async () => {
    const state = { done: false };
    const publishing = (async () => {
      for (let n = 0; n < 100; n += 1) {
        const many = Array.from({ length: 30 }, (_, at) =>
          record(`server-${at}`, { consecutive_failures: n + at }),
        );
        server.publish(view([github, coda, ...many.slice(n % 7), record('refused', refused)]));
        server.note(event(n, { event_type: 'server_down', from: 'healthy', to: 'unhealthy' }));
        await systemClock.sleep(5);
      }
      state.done = true;
    })();
    let answers = 0;
    const asking = async (): Promise<void> => {
      for (const route of state.done ? [] : ending) {
        expectDescribed(route.path, await ask(server.url, pathOf(route)));
        answers += 1;
      }
      if (!state.done) await asking();
    };
    await Promise.all([publishing, ...Array.from({ length: 8 }, asking)]);
    expect(answers).toBeGreaterThan(ending.length * 8);
  });

  it('tells how we answer when the journal is down', async () => {
    server.self({ manifest: 'ok', engine: 'ok', journal: 'down' });
    const got = await ask(server.url, '/health');
    expect(got.code).toBe(503);
    expectDescribed('/health', got);
  });
});

/** As little as a record can hold. */
const refused: Partial<ServerRecord> = {
  ...{ phase: 'refused', health: 'unknown', status: 'down', routable: false, reason: 'untrusted_image' },
  ...{ version: null, desired_version: null, image: null, image_digest: null, last_check: null, url: null },
  ...{ response_time_ms: null, uptime_seconds: null, conformant: null, mcp_url: null, health_url: null },
  ...{
    endpoints: [],
    revision: null,
    trace_id: null,
    description: null,
    repository: null,
    quality_tier: null,
  },
};

describe('the reference for people', () => {
  it('tells of every route, parameter and field', () => {
    const text = statusReference();
    for (const route of routes) {
      expect(text).toContain(`## GET ${route.path}\n`);
      for (const name of Object.keys(route.query)) expect(text).toContain(`| \`${name}\` |`);
    }
    for (const field of Object.keys(github)) expect(text).toContain(`| \`${field}\` |`);
    expect(text).not.toContain('undefined');
    expect(text).toBe(statusReference());
  });
});
