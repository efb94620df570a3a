import { found, text } from './answer.ts';
import { ecosystemOf, healthOf, ofServer, ownHealth, serverOf, VALID_FOR_SECONDS } from './bodies.ts';
import { exampleEvent, exampleRecord, exampleSettled, exampleSource, exampleStream } from './examples.ts';
import { openApiDocument } from './openapi.ts';
import { pageFile, pageFileNames } from './page.ts';
import { unknownPath, unknownServer } from './refusals.ts';
import { followed, limit, plain, since, type Ask, type Looked, type Route } from './route.ts';

/** The one table of routes: routing, `/openapi.json` and docs/status-api.md come from it. */
export const routes: readonly Route[] = [
  {
    path: '/health',
    operation: 'own_health',
    summary:
      'How the orchestrator itself is, in the form of the health specification. Sick servers are not its sickness.',
    schema: 'Own',
    example: {
      status: 'ok',
      version: '0.1.0',
      uptime_seconds: 4711,
      timestamp: '2026-11-20T12:13:33Z',
      checks: { manifest: 'ok', engine: 'ok', journal: 'ok' },
    },
    query: {},
    needs: 'nothing',
    respond: ownHealth,
  },
  {
    ...followed,
    path: '/servers',
    operation: 'servers',
    summary: 'Every server.',
    schema: 'Servers',
    example: { schema_version: '1.0', index: exampleRecord.index, servers: [exampleRecord] },
    respond: ({ index, view }: Looked) => found({ schema_version: '1.0', index, servers: view.servers }),
  },
  {
    ...followed,
    path: '/servers/{id}/status',
    operation: 'server_status',
    summary: 'All about one server.',
    schema: 'ServerRecord',
    example: exampleRecord,
    changedAt: ({ view }, id) => serverOf(view, id)?.index ?? null,
    respond: ofServer((record) => record),
  },
  {
    ...plain,
    path: '/servers/{id}/health',
    operation: 'server_health',
    summary: 'The health of one server.',
    schema: 'ServerHealth',
    example: healthOf(exampleRecord),
    respond: ofServer(healthOf),
  },
  {
    ...plain,
    path: '/servers/{id}/health/events',
    operation: 'server_health_events',
    summary: 'What happened to the health of one server since the orchestrator started, newest first.',
    query: { limit },
    schema: 'HealthEvents',
    example: { events: [exampleEvent] },
    respond: ofServer(({ name }, looked, ask) => ({
      events: looked.healthEvents(name).slice(0, ask.query['limit'] ?? 50),
    })),
  },
  {
    ...followed,
    path: '/health/status',
    operation: 'ecosystem_status',
    summary: 'A summary, where the manifest comes from, and every server.',
    schema: 'Ecosystem',
    example: {
      schema_version: '1.0',
      index: exampleRecord.index,
      generated_at: '2026-11-20T12:13:33Z',
      valid_for_seconds: VALID_FOR_SECONDS,
      source: exampleSource,
      view: 'clear',
      status: 'ok',
      summary: { total: 1, healthy: 1, degraded: 0, unhealthy: 0, unknown: 0 },
      servers: [exampleRecord],
    },
    respond: (looked: Looked) => found(ecosystemOf(looked)),
  },
  {
    ...followed,
    path: '/revisions',
    operation: 'revisions',
    summary:
      'What became of the latest revisions of the manifest (accepted, refused, settled), newest first.',
    schema: 'Revisions',
    example: { schema_version: '1.0', index: exampleRecord.index, events: [exampleSettled] },
    respond: ({ index, revisions }: Looked) => found({ schema_version: '1.0', index, events: revisions }),
  },
  {
    ...plain,
    path: '/servers/{id}/events',
    operation: 'server_events',
    summary:
      'All that happened to one server since the orchestrator started, newest first; removed ones too, for a while.',
    query: { limit },
    schema: 'Events',
    example: { events: [exampleEvent] },
    respond: ({ view, timeline }: Looked, { id, query }: Ask) => {
      const events = timeline.ofServer(serverOf(view, id)?.name ?? id);
      if (events.length === 0 && serverOf(view, id) === null) return unknownServer(id);
      return found({ events: events.slice(0, query['limit'] ?? 50) });
    },
  },
  {
    ...plain,
    path: '/events',
    operation: 'events',
    summary: 'The last events of everybody, newest first. The event log has all of them.',
    query: { limit },
    schema: 'Events',
    example: { events: [exampleEvent] },
    respond: ({ timeline }: Looked, { query }: Ask) =>
      found({ events: timeline.latest().slice(0, query['limit'] ?? 50) }),
  },
  {
    ...plain,
    path: '/traces/{id}/events',
    idSays: 'A trace_id.',
    takesAnyId: true,
    operation: 'trace_events',
    summary: 'Those of the last events that one trace caused, newest first; none for an unknown one.',
    query: { limit },
    schema: 'Events',
    example: { events: [exampleEvent] },
    respond: ({ timeline }: Looked, { id, query }: Ask) =>
      found({ events: timeline.ofTrace(id).slice(0, query['limit'] ?? 50) }),
  },
  {
    ...plain,
    path: '/health/history',
    operation: 'health_history',
    summary:
      'How healthy each server was over the last day, as far as this orchestrator has watched, and its availability.',
    schema: 'Histories',
    example: {
      servers: [
        {
          name: exampleRecord.name,
          availability: 0.998,
          spans: [{ from: '2026-11-20T12:00:00Z', to: '2026-11-20T12:13:33Z', health: 'healthy' }],
        },
      ],
    },
    respond: (looked: Looked) => found({ servers: looked.past() }),
  },
  {
    path: '/health/stream',
    operation: 'stream',
    summary:
      'Every change as it happens, over WebSocket or as text/event-stream: a snapshot, then the changes. Heartbeats every 15 s.',
    query: { since },
    media: 'text/event-stream',
    streams: true,
    schema: 'Text',
    example: exampleStream,
    needs: 'token',
    respond: () => found(''),
  },
  {
    path: '/metrics',
    operation: 'metrics',
    summary: 'Figures for Prometheus.',
    query: {},
    media: 'text/plain; version=0.0.4; charset=utf-8',
    schema: 'Text',
    example: 'mcpo_servers 5\n',
    needs: 'token',
    respond: async ({ metrics }) => text(await metrics()),
  },
  {
    path: '/',
    operation: 'page',
    summary: 'A page for people: everything above, live, read-only, with nothing from elsewhere.',
    query: {},
    media: 'text/html; charset=utf-8',
    schema: 'Text',
    example: '<!doctype html>',
    needs: 'token',
    respond: () => pageFile('index.html') ?? unknownPath('/'),
  },
  {
    path: '/page/{id}',
    idSays: `One of ${pageFileNames.join(', ')}.`,
    operation: 'page_file',
    summary: 'What the page is made of.',
    query: {},
    media: 'text/javascript; charset=utf-8',
    otherMedia: {
      'text/html': '<!doctype html>',
      'text/css': 'body { margin: 0 }',
      'image/svg+xml': '<svg xmlns="http://www.w3.org/2000/svg" />',
    },
    schema: 'Text',
    example: 'export const greeting = "hello";',
    needs: 'token',
    respond: (_shown, { id }) => pageFile(id) ?? unknownPath(`/page/${id}`),
  },
  {
    path: '/openapi.json',
    operation: 'description',
    summary: 'This description.',
    schema: 'OpenApi',
    example: { openapi: '3.1.0', info: { title: 'mcp-orchestration status', version: '1.0.0' }, paths: {} },
    query: {},
    needs: 'token',
    respond: () => found(openApiDocument(routes)),
  },
];
