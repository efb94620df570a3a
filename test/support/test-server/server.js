// A server that answers as told, for tests of the orchestrator. Without dependencies, so that its image is built at once.
//
//   BEHAVIOUR         how it starts; changed while it runs by POST /behave?as=<behaviour>
//   AFTER_SECONDS     when `exit-after-5s` (5) and `unhealthy-after-20s` (20) come true, and half a period of `flapping` (5)
//   VERSION           what /health says (wrong-version adds `-wrong`)
//
//   GET  /health                     by the health specification, with metrics {active_sessions, active_requests}
//   GET  /slow?ms=N                  answers after N ms
//   GET  /stream?ms=N&every=M        a line every M ms for N ms, then the line `end`
//   *    /echo                       {version, instance, method, url, body}
//   POST /sessions?count=N           sets metrics.active_sessions
//   GET  /mcp                        a JSON-RPC stand-in: 200 with {version}
import { createServer } from 'node:http';
import { hostname } from 'node:os';

const version = process.env.VERSION || '0.0.0';
const port = Number(process.env.PORT || 8080);
const afterSeconds = (whenUnset) => Number(process.env.AFTER_SECONDS || whenUnset);
let behaviour = process.env.BEHAVIOUR || 'ok';
let activeSessions = 0;
let activeRequests = 0;
let draining = false;

if (behaviour === 'exit-at-once') {
  console.log(`${version} cannot begin`);
  process.exit(1);
}
if (behaviour === 'exit-zero') process.exit(0);
if (behaviour === 'exit-after-5s') setTimeout(() => process.exit(1), afterSeconds(5) * 1000);
// Whatever it is told to do later.
const isDeaf = behaviour === 'ignore-sigterm';
process.on('SIGTERM', () => !isDeaf && drain());

const routes = {
  '/health': health,
  '/slow': slow,
  '/stream': stream,
  '/echo': echo,
  '/mcp': echo,
  '/behave': (url, response) => {
    behaviour = url.searchParams.get('as') ?? 'ok';
    send(response, 200, { behaviour });
    if (behaviour === 'exit-at-once') process.exit(1);
    if (behaviour === 'exit-zero') process.exit(0);
    if (behaviour === 'eat-memory') eat();
  },
  '/sessions': (url, response) => {
    activeSessions = Number(url.searchParams.get('count'));
    send(response, 200, { active_sessions: activeSessions });
  },
};

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  if (behaviour === 'hang') return;
  const route = routes[url.pathname];
  if (!route) return send(response, 404, { error: 'not found' });
  if (url.pathname !== '/health') count(response);
  Promise.resolve(route(url, response, request)).catch((error) => response.destroy(error));
});
server.keepAliveTimeout = 60_000;
if (behaviour === 'never-listen') setInterval(() => undefined, 60_000);
else server.listen(port, () => console.log(`${version} listens on ${port}, ${behaviour}`));

function health(_url, response) {
  const sick = isSick();
  if (behaviour === 'answer-503') return send(response, 503, { error: 'not ready' });
  if (behaviour === 'bare') return response.writeHead(200).end('OK');
  send(response, sick ? 503 : 200, {
    status: sick ? 'down' : behaviour === 'degraded' || draining ? 'degraded' : 'ok',
    timestamp: new Date(Date.now() - (behaviour === 'stale' ? 120_000 : 0)).toISOString(),
    uptime_seconds: Math.floor(process.uptime()),
    version: behaviour === 'wrong-version' ? `${version}-wrong` : version,
    checks: { backend: sick ? 'down' : 'ok' },
    metrics: { active_sessions: activeSessions, active_requests: activeRequests },
  });
}

function isSick() {
  const uptime = process.uptime();
  if (behaviour === 'unhealthy') return true;
  if (behaviour === 'unhealthy-after-20s') return uptime > afterSeconds(20);
  return behaviour === 'flapping' && Math.floor(uptime / afterSeconds(5)) % 2 === 1;
}

async function slow(url, response) {
  await pause(Number(url.searchParams.get('ms') ?? 1000));
  send(response, 200, { version, instance: hostname() });
}

async function stream(url, response) {
  const end = Date.now() + Number(url.searchParams.get('ms') ?? 1000);
  response.writeHead(200, { 'content-type': 'text/plain' });
  for (let line = 0; Date.now() < end && !response.destroyed; line += 1) {
    response.write(`${version} ${line}\n`);
    await pause(Number(url.searchParams.get('every') ?? 100));
  }
  response.end('end\n');
}

async function echo(_url, response, request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts).toString('utf8');
  send(response, 200, { version, instance: hostname(), method: request.method, url: request.url, body });
}

/** Until the engine's limit is reached. */
function eat() {
  const eaten = [];
  for (;;) eaten.push(Buffer.alloc(16 * 1024 * 1024, 1));
}

function count(response) {
  activeRequests += 1;
  response.once('close', () => {
    activeRequests -= 1;
    if (draining) endIfIdle();
  });
}

/** New connections are refused, requests in hand are answered, then the process ends with 0. */
function drain() {
  draining = true;
  server.close();
  endIfIdle();
}

function endIfIdle() {
  if (activeRequests === 0) process.exit(0);
}

function send(response, status, body) {
  const headers = { 'content-type': 'application/json', ...(draining ? { connection: 'close' } : {}) };
  response.writeHead(status, headers).end(JSON.stringify(body));
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
