// `npm run kit:check [-- ./my-gateway.ts]`: checks a gateway's side of the contract, without an engine, in seconds.
// A module exports `openGateway(url): Promise<Gateway>`; without one the reference client is checked.
import { pathToFileURL } from 'node:url';
import { systemClock } from '../../src/lib/clock.ts';
import type { ServerRecord } from '../../src/model/status.ts';
import { exampleRecord, exampleSource } from '../../src/status/examples.ts';
import { openStatusServer } from '../../src/status/index.ts';
import type { StatusServer } from '../../src/status/status.ts';
import { StatusClient } from './client/client.ts';

/** What is asked of a gateway under test. */
export interface Gateway {
  /** Names of the servers it knows. */
  servers(): readonly string[];
  /** Where a request goes; null: it is refused. */
  route(server: string, session: string | null): string | null;
  close(): Promise<void>;
}

const REACT_WITHIN_MS = 5_000;
const P95_MS = 100;

if (process.argv[1]?.endsWith('check.ts') === true) {
  const [module] = process.argv.slice(2);
  const found =
    module === undefined
      ? { openGateway: openReference }
      : ((await import(pathToFileURL(module).href)) as { openGateway: typeof openReference });
  const claims = await checkGateway(found.openGateway);
  for (const { says, met } of claims) console.log(`${met ? 'met   ' : 'MISSED'}  ${says}`);
  process.exitCode = claims.every(({ met }) => met) ? 0 : 1;
}

export async function openReference(url: string): Promise<Gateway> {
  const client = new StatusClient({ url, retryMs: 100 });
  await client.open();
  return {
    servers: () => client.servers().map(({ name }) => name),
    route(server, session) {
      const route = client.route(server, session);
      return route.ok ? route.url : null;
    },
    close: () => client.close(),
  };
}

interface Claim {
  readonly says: string;
  readonly met: boolean;
}

/** Plays an orchestrator to the gateway, and sees what it makes of it. */
export async function checkGateway(open: (url: string) => Promise<Gateway>): Promise<readonly Claim[]> {
  let status = await serve(0);
  status.publish(viewOf(five));
  const claims: Claim[] = [];
  const claim = (says: string, met: boolean): void => void claims.push({ says, met });
  const gateway = await open(status.url);
  const until = (wanted: () => boolean): Promise<boolean> => within(REACT_WITHIN_MS, wanted);
  try {
    claim('finds all five servers', await until(() => gateway.servers().length === 5));
    claim(
      'routes to the healthy and to the degraded one',
      [...healthy, 'degraded'].every((name) => gateway.route(name, null) === urlOf(name, 'old')),
    );
    claim('does not route to the one that is down', gateway.route('down', null) === null);
    claim(`decides within ${P95_MS} ms (p95 of 1,000: ${p95(gateway).toFixed(2)} ms)`, p95(gateway) < P95_MS);
    claim('opens a session on the active endpoint', gateway.route('one', 's1') === urlOf('one', 'old'));
    status.publish(viewOf([draining('one', Date.now() + 4_000), ...five.slice(1)]));
    claim(
      'sends new requests to the new instance within 5 s',
      await until(() => gateway.route('one', null) === urlOf('one', 'new')),
    );
    claim('keeps a session on its draining instance', gateway.route('one', 's1') === urlOf('one', 'old'));
    claim(
      'lets it go at the deadline',
      await until(() => gateway.route('one', 's1') === urlOf('one', 'new')),
    );
    const { port } = new URL(status.url);
    await status.close();
    await systemClock.sleep(500);
    claim(
      'keeps what it knew while the orchestrator is away',
      gateway.servers().length === 5 && gateway.route('two', null) === urlOf('two', 'old'),
    );
    status = await serve(Number(port));
    status.publish(viewOf(five.slice(0, 4)));
    claim('takes up again when it is back', await until(() => gateway.servers().length === 4));
  } finally {
    await gateway.close();
    await status.close();
  }
  return claims;
}

const serve = (port: number): Promise<StatusServer> =>
  openStatusServer({
    listen: { host: '127.0.0.1', port },
    ...{ token: null, allowHosts: [], clock: systemClock, bootId: 'kit', programVersion: '0' },
  });

const viewOf = (servers: readonly ServerRecord[]) =>
  ({ schema_version: '1.0', view: 'clear', source: exampleSource, servers }) as const;

const urlOf = (name: string, instance: string): string => `http://${name}-${instance}.invalid/mcp`;

const endpoint = (name: string, instance: string, more: Partial<ServerRecord['endpoints'][number]> = {}) => ({
  ...{ instance, role: 'active' as const, transport: 'http', url: null, health_url: null },
  ...{ mcp_url: urlOf(name, instance), container_url: null, container_mcp_url: null },
  ...more,
});

const server = (name: string, more: Partial<ServerRecord> = {}): ServerRecord => ({
  ...exampleRecord,
  ...{ id: name, name, namespace: name, endpoints: [endpoint(name, 'old')] },
  ...more,
});

const healthy = ['one', 'two', 'three'];
const five: readonly ServerRecord[] = [
  ...healthy.map((name) => server(name)),
  server('degraded', { health: 'degraded', status: 'degraded' }),
  server('down', { health: 'unhealthy', status: 'down', routable: false, suggested_action: 'see its log' }),
];

const draining = (name: string, deadline: number): ServerRecord =>
  server(name, {
    endpoints: [
      endpoint(name, 'new'),
      endpoint(name, 'old', { role: 'draining', drain_deadline: new Date(deadline).toISOString() }),
    ],
  });

function p95(gateway: Gateway): number {
  const times = Array.from({ length: 1_000 }, (_, n) => {
    const begun = performance.now();
    gateway.route(healthy[n % 3] ?? 'one', null);
    return performance.now() - begun;
  });
  return times.sort((a, b) => a - b)[950] ?? 0;
}

async function within(ms: number, wanted: () => boolean): Promise<boolean> {
  const until = performance.now() + ms;
  while (!wanted() && performance.now() < until) await systemClock.sleep(20);
  return wanted();
}
