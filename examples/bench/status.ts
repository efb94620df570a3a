// `npm run bench:status`: GET /servers at 1,000 servers, beside a bare node:http server that sends the same bytes.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/lib/clock.ts';
import { exampleRecord, exampleSource } from '../../src/status/examples.ts';
import { openStatusServer } from '../../src/status/index.ts';

const SERVERS = 1_000;
const PER_SECOND = 500;
const SECONDS = 5;
const CONNECTIONS = 50;
const ROUNDS = 12;
const ROUND_MS = 500;
const P95_MS = 100;
const SHARE = 0.8;

// As gateways ask: the answer of 1,000 servers is 1.8 MB, and a fiftieth of that when it is zipped.
const headers = { 'Accept-Encoding': 'gzip' };

const [kind, sameAs = ''] = process.argv.slice(2);
if (kind === 'ours') await serveOurs();
else if (kind === 'bare') await serveBare(sameAs);
else await compare();

async function compare(): Promise<void> {
  const ours = await start('ours');
  const bare = await start('bare', ours.url);
  try {
    const steady = await offered(ours.url);
    // In short turns, so that what else the machine does falls on both alike.
    let [ofOurs, ofBare] = [0, 0];
    for (let round = 0; round < ROUNDS; round += 1) {
      ofBare += await flatOut(bare.url);
      ofOurs += await flatOut(ours.url);
    }
    const share = ofOurs / ofBare;
    const perSecond = (answers: number): string => ((answers * 1_000) / (ROUNDS * ROUND_MS)).toFixed(0);
    console.log(`flat out: ours ${perSecond(ofOurs)}/s, bare ${perSecond(ofBare)}/s`);
    console.log(
      `${SERVERS} servers at ${PER_SECOND}/s, a change each second: ${steady.answered} answers, p50 ${steady.p50.toFixed(1)} ms, p95 ${steady.p95.toFixed(1)} ms (budget ${P95_MS} ms)`,
    );
    console.log(`share of the bare server's throughput: ${share.toFixed(2)} (at least ${SHARE})`);
    process.exitCode = steady.p95 < P95_MS && share >= SHARE ? 0 : 1;
  } finally {
    for (const { child } of [ours, bare]) child.kill();
  }
}

async function start(...which: string[]): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(fileURLToPath(import.meta.url), which);
  const [url] = (await once(child, 'message')) as [string];
  return { child, url };
}

async function serveOurs(): Promise<void> {
  const status = await openStatusServer({
    listen: { host: '127.0.0.1', port: 0 },
    ...{ token: null, allowHosts: [], clock: systemClock, bootId: 'bench', programVersion: '0' },
  });
  let changes = 0;
  const publish = (): void => {
    changes += 1;
    const servers = Array.from({ length: SERVERS }, (_, n) => ({
      ...exampleRecord,
      ...{ name: `mcp-server-${n}`, id: `mcp-server-${n}`, consecutive_failures: n === 0 ? changes : 0 },
    }));
    status.publish({ schema_version: '1.0', view: 'clear', source: exampleSource, servers });
  };
  publish();
  setInterval(publish, 1_000);
  process.send?.(`${status.url}/servers`);
}

async function serveBare(url: string): Promise<void> {
  const bytes = await bytesOf(url);
  const server = createServer((_request, response) => {
    response.writeHead(200, {
      'Content-Type': 'application/json',
      'Content-Encoding': 'gzip',
      'Content-Length': bytes.length,
    });
    response.end(bytes);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

async function bytesOf(url: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const asked = get(url, { headers });
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  for await (const piece of response) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** So many a second, whether or not the answers keep up. */
async function offered(url: string): Promise<{ answered: number; p50: number; p95: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const times: number[] = [];
  const asked: Promise<void>[] = [];
  const begun = performance.now();
  for (let n = 0; n < PER_SECOND * SECONDS; n += 1) {
    const wait = begun + (n * 1_000) / PER_SECOND - performance.now();
    if (wait > 1) await systemClock.sleep(wait);
    asked.push(timed(url, agent, times));
  }
  await Promise.all(asked);
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? 0;
  return { answered: times.length, p50: at(0.5), p95: at(0.95) };
}

/** Answers when everybody asks again at once. */
async function flatOut(url: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const times: number[] = [];
  const until = performance.now() + ROUND_MS;
  const client = async (): Promise<void> => {
    while (performance.now() < until) await timed(url, agent, times);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
  agent.destroy();
  return times.length;
}

function timed(url: string, agent: Agent, times: number[]): Promise<void> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    get(url, { agent, headers }, (response) => {
      response.resume();
      response.once('end', () => {
        times.push(performance.now() - begun);
        resolve();
      });
    }).once('error', reject);
  });
}
