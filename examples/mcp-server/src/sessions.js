import { randomUUID } from 'node:crypto';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';

const idleMs = 30 * 60_000;
const largestBody = 4 * 1024 * 1024;

/**
 * The MCP sessions of this process. A session lives until its client ends it, is silent for half an hour, or `end`.
 *
 * @param {() => import('@modelcontextprotocol/sdk/server/mcp.js').McpServer} createServer one for each session
 */
export function createSessions(createServer) {
  /** @type {Map<string, {transport: StreamableHTTPServerTransport, seen: number}>} */
  const sessions = new Map();
  setInterval(() => endIdle(sessions), 60_000).unref();

  /** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response */
  async function handle(request, response) {
    const id = request.headers['mcp-session-id'];
    const known = typeof id === 'string' ? sessions.get(id) : undefined;
    if (known) known.seen = Date.now();
    const body = request.method === 'POST' ? await readJson(request) : undefined;
    if (known) return known.transport.handleRequest(request, response, body);
    if (id !== undefined) return refuse(response, 404, 'Session not found: initialize again');
    if (!isInitializeRequest(body)) return refuse(response, 400, 'No session: initialize first');
    const transport = await open();
    await transport.handleRequest(request, response, body);
  }

  async function open() {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, { transport, seen: Date.now() }),
    });
    transport.onclose = () => sessions.delete(transport.sessionId ?? '');
    await createServer().connect(transport);
    return transport;
  }

  return {
    handle,
    count: () => sessions.size,
    end: () => Promise.allSettled([...sessions.values()].map(({ transport }) => transport.close())),
  };
}

/** @param {Map<string, {transport: StreamableHTTPServerTransport, seen: number}>} sessions */
function endIdle(sessions) {
  for (const { transport, seen } of sessions.values()) if (Date.now() - seen > idleMs) void transport.close();
}

/** @param {import('node:http').IncomingMessage} request */
async function readJson(request) {
  /** @type {Buffer[]} */
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > largestBody) throw new Error('the request is too large');
    parts.push(part);
  }
  return JSON.parse(Buffer.concat(parts).toString('utf8'));
}

/** @param {import('node:http').ServerResponse} response @param {number} status @param {string} message */
function refuse(response, status, message) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32000, message }, id: null }));
}
