// `npm run bench:status [-- --quick]`: GET /servers at 1,000 servers, beside a bare node:http server that sends the same bytes.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/lib/clock.ts';
import { exampleRecord, exampleSource } from '../../src/status/examples.ts';
import { openStatusServer } from '../../src/status/index.ts';

const P95_MS = 100;
const SHARE = 0.8;
const CONNECTIONS = 50;

/** `--quick`: a look at whether it works at all, for a test. */
const isQuick = process.argv.includes('--quick');
const SERVERS = isQuick ? 100 : 1_000;
const PER_SECOND = isQuick ? 100 : 500;
const SECONDS = isQuick ? 0.3 : 5;
const ROUNDS = isQuick ? 1 : 6;
const ROUND_MS = isQuick ? 200 : 500;

/** It is measured how much can be answered, not how much is. */
const boundless = { perSecond: 1e9, atOnce: 1e9 };

/** The answer of 1,000 servers is 1.8 MB, and a fiftieth of that when it is zipped, as gateways ask for it. */
const encodings = ['gzip', 'identity'] as const;
type Encoding = (typeof encodings)[number];

const [kind, sameAs = '', encodedAs = 'gzip'] = process.argv.slice(2);
if (kind === 'ours') await serveOurs();
else if (kind === 'bare') await serveBare(sameAs, encodedAs as Encoding);
else await compareAll();

async function compareAll(): Promise<void> {
  const ours = await start('ours');
  try {
    const met = [];
    for (const encoding of encodings) met.push(await compare(ours.url, encoding));
    process.exitCode = met.every(Boolean) ? 0 : 1;
  } finally {
    ours.child.kill();
  }
}

/** True when both promises are kept; where the bare server keeps no budget, the machine is too small for so many bytes. */
async function compare(ours: string, encoding: Encoding): Promise<boolean> {
  const bare = await start('bare', ours, encoding);
  try {
    const [steady, steadyBare] = [await offered(ours, encoding), await offered(bare.url, encoding)];
    const { perSecond, perSecondBare } = await takingTurns({ ours, bare: bare.url }, encoding);
    const share = perSecond / perSecondBare;
    console.log(`${encoding}: ${SERVERS} servers, ${PER_SECOND} requests/s, a change each second`);
    console.log(`  ours: ${inWords(steady)}; flat out ${perSecond.toFixed(0)}/s`);
    console.log(`  bare: ${inWords(steadyBare)}; flat out ${perSecondBare.toFixed(0)}/s`);
    console.log(`  p95 budget ${P95_MS} ms; share of the bare server ${share.toFixed(2)}, at least ${SHARE}`);
    return (steady.p95 < P95_MS || steadyBare.p95 >= P95_MS) && share >= SHARE;
  } finally {
    bare.child.kill();
  }
}

function inWords({ answered, p50, p95 }: Steady): string {
  return `${answered} answers, p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`;
}

/** In short turns, so that what else the machine does falls on both alike. */
async function takingTurns(
  { ours, bare }: { readonly ours: string; readonly bare: string },
  encoding: Encoding,
): Promise<{ perSecond: number; perSecondBare: number }> {
  let [ofOurs, ofBare] = [0, 0];
  for (let round = 0; round < ROUNDS; round += 1) {
    ofBare += await flatOut(bare, encoding);
    ofOurs += await flatOut(ours, encoding);
  }
  const perSecond = (answers: number): number => (answers * 1_000) / (ROUNDS * ROUND_MS);
  return { perSecond: perSecond(ofOurs), perSecondBare: perSecond(ofBare) };
}

async function start(...which: string[]): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(fileURLToPath(import.meta.url), [...which, ...(isQuick ? ['--quick'] : [])]);
  const [url] = (await once(child, 'message')) as [string];
  return { child, url };
}

async function serveOurs(): Promise<void> {
  const status = await openStatusServer({
    listen: { host: '127.0.0.1', port: 0 },
    ...{ token: null, allowHosts: [], clock: systemClock, bootId: 'bench', programVersion: '0' },
    rates: { ofConnection: boundless, ofPeer: boundless, ofAll: boundless },
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

async function serveBare(url: string, encoding: Encoding): Promise<void> {
  const bytes = await bytesOf(url, encoding);
  const server = createServer((_request, response) => {
    response.writeHead(200, {
      'Content-Type': 'application/json',
      ...(encoding === 'gzip' ? { 'Content-Encoding': 'gzip' } : {}),
      'Content-Length': bytes.length,
    });
    response.end(bytes);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

async function bytesOf(url: string, encoding: Encoding): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const asked = get(url, { headers: { 'Accept-Encoding': encoding } });
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  for await (const piece of response) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

interface Steady {
  readonly answered: number;
  readonly p50: number;
  readonly p95: number;
}

/** So many a second, whether or not the answers keep up. */
async function offered(url: string, encoding: Encoding): Promise<Steady> {
  const client = clientOf(url, encoding);
  const times: number[] = [];
  const asked: Promise<void>[] = [];
  const begun = performance.now();
  for (let n = 0; n < PER_SECOND * SECONDS; n += 1) {
    const wait = begun + (n * 1_000) / PER_SECOND - performance.now();
    if (wait > 1) await systemClock.sleep(wait);
    asked.push(client.timed(times));
  }
  await Promise.all(asked);
  client.close();
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? 0;
  return { answered: times.length, p50: at(0.5), p95: at(0.95) };
}

/** Answers when everybody asks again at once. */
async function flatOut(url: string, encoding: Encoding): Promise<number> {
  const client = clientOf(url, encoding);
  const times: number[] = [];
  const until = performance.now() + ROUND_MS;
  const ask = async (): Promise<void> => {
    while (performance.now() < until) await client.timed(times);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, ask));
  client.close();
  return times.length;
}

function clientOf(url: string, encoding: Encoding) {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const headers = { 'Accept-Encoding': encoding };
  const timed = (times: number[]): Promise<void> => {
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
  };
  return { timed, close: () => agent.destroy() };
}
