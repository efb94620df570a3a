import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

interface EngineAnswer {
  readonly status: number;
  readonly text: string;
}

interface EngineRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: Readable | string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds for the whole exchange, the last byte included; 10 s when not given. */
  readonly deadlineMs?: number;
}

/** One request to the engine behind a socket. Throws on a broken connection or a missed deadline, not on a status. */
export function callEngine(socket: string, path: string, options: EngineRequest = {}): Promise<EngineAnswer> {
  const deadlineMs = options.deadlineMs ?? 10_000;
  return new Promise((resolve, reject) => {
    const sent = request({
      socketPath: socket,
      path,
      method: options.method ?? 'GET',
      headers: headersOf(options),
    });
    // The timer is ours: a reply that is cut off or stalls ends no promise by itself.
    const timer = setTimeout(() => {
      const late = new Error(`the engine did not answer ${path} within ${deadlineMs} ms`);
      reject(late);
      sent.destroy(late);
    }, deadlineMs);
    sent.on('close', () => clearTimeout(timer)).on('error', reject);
    sent.on('response', (response) => void readWhole(response).then(resolve, reject));
    sendBody(sent, options.body);
  });
}

/** Like callEngine, but a status of 400 or above throws with the engine's own words. */
export async function askEngine(
  socket: string,
  path: string,
  options: EngineRequest = {},
): Promise<EngineAnswer> {
  const answer = await callEngine(socket, path, options);
  if (answer.status < 400) return answer;
  throw new Error(
    `the engine refused ${options.method ?? 'GET'} ${path}: ${answer.status} ${answer.text.trim()}`,
  );
}

/** True when something that speaks the engine's API answers on the socket within `deadlineMs`. */
export async function isReachable(socket: string, deadlineMs = 2_000): Promise<boolean> {
  try {
    return (await callEngine(socket, '/_ping', { deadlineMs })).status === 200;
  } catch {
    return false;
  }
}

function headersOf(options: EngineRequest): Record<string, string> {
  const type = typeof options.body === 'string' ? 'application/json' : 'application/x-tar';
  return { ...(options.body === undefined ? {} : { 'content-type': type }), ...options.headers };
}

function sendBody(sent: ClientRequest, body: Readable | string | undefined): void {
  if (body === undefined || typeof body === 'string') sent.end(body);
  else body.on('error', (error) => sent.destroy(error)).pipe(sent);
}

async function readWhole(response: IncomingMessage): Promise<EngineAnswer> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  return { status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') };
}
