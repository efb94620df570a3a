import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { createSessions } from './sessions.js';
import { createTools } from './tools.js';

const described = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const name = process.env.SERVER_NAME || described.name;
const version = process.env.VERSION || described.version;
const port = Number(process.env.PORT || 8080);
/** Less than the ten seconds after which an engine kills what it asked to stop. */
const graceMs = Number(process.env.GRACE_SECONDS || 8) * 1000;

const sessions = createSessions(() => createTools(name, version));
let activeRequests = 0;
let draining = false;

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  if (pathname === '/health') return sendHealth(response);
  if (pathname !== '/mcp') return response.writeHead(404).end();
  count(request, response);
  sessions.handle(request, response).catch((error) => fail(response, error));
});
server.listen(port, () => console.log(`${name} ${version} listens on ${port}`));
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, drain);

/** The health specification of the ecosystem, with what an orchestrator needs to know before it ends this process. */
function sendHealth(response) {
  const health = {
    status: draining ? 'degraded' : 'ok',
    timestamp: new Date().toISOString(),
    uptime_seconds: Math.floor(process.uptime()),
    version,
    checks: { mcp: 'ok' },
    metrics: { active_sessions: sessions.count(), active_requests: activeRequests },
  };
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(health));
}

/** A GET is a client that listens for as long as its session lives: a session, but no work that must be waited for. */
function count(request, response) {
  if (request.method === 'GET') return;
  activeRequests += 1;
  response.once('close', () => {
    activeRequests -= 1;
    if (draining) endIfIdle();
  });
}

/** No new connections, the requests in hand to their end, then exit code 0; at the latest when the grace is over. */
function drain() {
  draining = true;
  server.close();
  setTimeout(() => process.exit(0), graceMs).unref();
  endIfIdle();
}

function endIfIdle() {
  if (activeRequests > 0) return;
  void sessions.end().then(() => server.closeAllConnections());
}

function fail(response, error) {
  console.error(error);
  if (response.headersSent) response.destroy();
  else response.writeHead(400).end();
}
