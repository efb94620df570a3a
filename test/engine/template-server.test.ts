import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { attachEngine } from '../../examples/engine/engine.ts';
import { buildServerImage } from '../../examples/images/build.ts';
import { answersAt, startContainer, type RunningContainer } from '../support/running-container.ts';

const engine = attachEngine(inject('engine'));
let image: string;

interface Health {
  readonly status: string;
  readonly timestamp: string;
  readonly uptime_seconds: number;
  readonly version: string;
  readonly checks: Readonly<Record<string, string>>;
  readonly metrics: { readonly active_sessions: number; readonly active_requests: number };
}

const healthOf = async (container: RunningContainer): Promise<Health> =>
  (await (await fetch(`${container.url}/health`)).json()) as Health;

async function startServer(): Promise<RunningContainer> {
  const container = await startContainer(engine, { image });
  await answersAt(`${container.url}/health`);
  return container;
}

async function connect(
  container: RunningContainer,
): Promise<{ client: Client; transport: StreamableHTTPClientTransport }> {
  const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  const transport = new StreamableHTTPClientTransport(new URL(`${container.url}/mcp`));
  await client.connect(transport);
  return { client, transport };
}

beforeAll(async () => {
  image = (await buildServerImage({ engine, name: 'mcp-server-template', version: '1.2.3' })).reference;
});

describe('the template server in a container', () => {
  let container: RunningContainer;
  beforeAll(async () => {
    container = await startServer();
  });
  afterAll(() => container.remove());

  test('an MCP client lists its tools and calls one', async () => {
    const { client } = await connect(container);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual(['add', 'echo', 'whoami']);
    const answer = await client.callTool({ name: 'whoami', arguments: {} });
    expect(answer.content).toEqual([{ type: 'text', text: 'mcp-server-template 1.2.3' }]);
    await client.close();
  });

  test('its health is told by the specification', async () => {
    const health = await healthOf(container);
    expect(health).toMatchObject({ status: 'ok', version: '1.2.3', checks: { mcp: 'ok' } });
    expect(Number.isInteger(health.uptime_seconds)).toBe(true);
    expect(Math.abs(Date.now() - Date.parse(health.timestamp))).toBeLessThan(5_000);
  });

  test('it counts the sessions that are open, and no longer those that were ended', async () => {
    const before = (await healthOf(container)).metrics.active_sessions;
    const { client, transport } = await connect(container);
    expect((await healthOf(container)).metrics.active_sessions).toBe(before + 1);
    await transport.terminateSession();
    await client.close();
    expect((await healthOf(container)).metrics).toEqual({ active_sessions: before, active_requests: 0 });
  });

  test('a body that is no JSON is refused, and the server lives on', async () => {
    const answer = await fetch(`${container.url}/mcp`, { method: 'POST', body: '{' });
    expect(answer.status).toBe(400);
    expect((await healthOf(container)).status).toBe('ok');
  });
});

describe('the end of the template server', () => {
  test('SIGTERM lets a request in flight have its answer and exits 0', async () => {
    const container = await startServer();
    try {
      const slow = halfRequest(`${container.url}/mcp`);
      await expect.poll(async () => (await healthOf(container)).metrics.active_requests).toBe(1);
      await container.signal('SIGTERM');
      await expect.poll(() => fetch(`${container.url}/health`).catch(() => 'refused')).toBe('refused');
      expect(await slow.finish()).toBe(200);
      expect(await container.ended()).toBe(0);
    } finally {
      await container.remove();
    }
  });

  test('SIGTERM ends it by itself although a client still listens', async () => {
    const container = await startServer();
    const { client } = await connect(container);
    expect(await container.stop()).toBe(0);
    await client.close().catch((error: unknown) => error);
    await container.remove();
  });
});

test('what our builder leaves out of the Dockerfile is one line', async () => {
  const dockerfile = await readFile(new URL('../../examples/mcp-server/Dockerfile', import.meta.url), 'utf8');
  expect(dockerfile.match(/^RUN /gm)).toHaveLength(1);
  expect(dockerfile).toContain('ARG BASE=node:22-slim');
});

/** An initialize request whose last byte is sent when the test says so. */
function halfRequest(url: string): { finish(): Promise<number | undefined> } {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'slow', version: '1.0.0' },
    },
  });
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const sent = request(url, { method: 'POST', headers, agent: false });
  const answered = new Promise<number | undefined>((resolve, reject) =>
    sent.once('response', (response) => resolve(response.resume().statusCode)).once('error', reject),
  );
  answered.catch(() => undefined); // reported by finish()
  sent.write(body.slice(0, -1));
  return {
    finish: () => {
      sent.end(body.slice(-1));
      return answered;
    },
  };
}
