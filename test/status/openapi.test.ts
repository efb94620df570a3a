import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
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

type Operation = { responses: Record<string, { content?: Record<string, { schema: Schema }> }> };
type Document = { paths: Record<string, { get: Operation }>; components: { schemas: object } };

let server: StatusServer;
let document: Document;
let ajv: Ajv2020;

beforeAll(async () => {
  server = await openStatusServer({
    listen: { host: '127.0.0.1', port: 0 },
    token: null,
    allowHosts: [],
    clock: systemClock,
    bootId: 'b1',
    programVersion: '0.1.0',
  });
  document = (await ask(server.url, '/openapi.json')).json<Document>();
  ajv = new Ajv2020({ allErrors: true, strict: true, strictTypes: false, allowUnionTypes: true });
  formats.default(ajv);
  ajv.addVocabulary(['components']);
  ajv.addSchema({ $id: 'api', components: closed(document.components) });
});
afterAll(() => server.close());

function wrongIn(schema: Schema, value: unknown): unknown {
  const check = ajv.compile({ $ref: `api${String(schema['$ref'])}` });
  return check(value) ? [] : check.errors;
}

/** Every answer is one that the document tells of, and looks as it says. */
function expectDescribed(path: string, got: Got): void {
  const described = document.paths[path]?.get.responses[String(got.code)];
  expect(described, `${path} ${got.code}`).toBeDefined();
  const [media, content] = Object.entries(described?.content ?? {})[0] ?? [];
  if (content === undefined) return;
  expect(got.headers['content-type']).toContain(path === '/page/{id}' && got.code === 200 ? 'text/' : media);
  const isJson = media === 'application/json';
  expect(wrongIn(content.schema, isJson ? got.json() : got.bytes.toString('utf8'))).toEqual([]);
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
      expect(wrongIn({ $ref: `#/components/schemas/${route.schema}` }, route.example)).toEqual([]);
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

  it('tells how we answer when the journal is down', async () => {
    server.self({ manifest: 'ok', engine: 'ok', journal: 'down' });
    const got = await ask(server.url, '/health');
    expect(got.code).toBe(503);
    expectDescribed('/health', got);
  });
});

/** As little as a record can hold. */
const refused: Partial<ServerRecord> = {
  ...{ phase: 'refused', health: 'unknown', status: 'unknown', routable: false, reason: 'untrusted_image' },
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
