import { Client, type Dispatcher } from 'undici';
import type { Clock } from '../lib/clock.ts';
import type { Address } from '../model/observed.ts';
import { readHealthBody, type HealthBody } from './body.ts';
import type { ProbeKind, ProbeResult, ProbeTarget } from './probe.ts';
import { askOnce, isHangUp, type Question } from './question.ts';
import { failed, healthy, unknown } from './result.ts';
import { sameVersion } from './same-version.ts';

interface HttpSettings {
  readonly endpoint: string;
  /** A 200 without a readable body fails. */
  readonly strict: boolean;
}

const MOST_BODY_BYTES = 64 * 1024;

/** A kept connection to one instance. */
interface Line {
  readonly origin: string;
  readonly client: Client;
  /** How often it has connected: unchanged over a question, the question went over a kept connection. */
  connects: number;
}

interface Answer {
  readonly code: number;
  /** null: not readable, and `trouble` says why. */
  readonly text: string | null;
  readonly trouble: string;
}

/** GET of the health endpoint: one connection an instance, no redirects, at most 64 KiB, nothing decompressed. */
export class HttpProbe implements ProbeKind<HttpSettings> {
  readonly #clock: Clock;
  readonly #lines = new Map<string, Line>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async check(
    settings: HttpSettings,
    target: ProbeTarget,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<ProbeResult> {
    const { address, container } = target;
    if (address === null) return unknown('no_address');
    const result = await askOnce(this.#clock, { timeoutMs, signal }, async (question) => {
      const answer = await getTwice(this.#lineTo(container, address), settings.endpoint, question);
      return this.#judge(answer, settings, target);
    });
    // The next question starts on a fresh connection after any trouble on this one.
    if (result.responseTimeMs === null) this.forget(container);
    return result;
  }

  forget(container: string): void {
    const line = this.#lines.get(container);
    this.#lines.delete(container);
    void line?.client.destroy();
  }

  #lineTo(container: string, address: Address): Line {
    const origin = originOf(address);
    const known = this.#lines.get(container);
    if (known?.origin === origin) return known;
    this.forget(container);
    const line: Line = { origin, client: newClient(origin), connects: 0 };
    line.client.on('connect', () => (line.connects += 1));
    this.#lines.set(container, line);
    return line;
  }

  #judge(answer: Answer, settings: HttpSettings, target: ProbeTarget): ProbeResult {
    if (answer.code !== 200 && answer.code !== 503) return failed(`status_${answer.code}`, false);
    const body = answer.text === null ? null : readHealthBody(answer.text, this.#clock.now());
    const verdict = verdictOf(answer.code, body, settings.strict);
    if (body === null) return { ...verdict, departures: [answer.trouble] };
    return {
      ...verdict,
      checks: body.checks,
      reportedVersion: body.version,
      versionOk: sameVersion(body.version, target.version),
      activeSessions: body.activeSessions,
      activeRequests: body.activeRequests,
      departures: [...body.departures, ...codeDepartures(answer.code, body)],
    };
  }
}

/** Limits in time are the question's own signal; undici's timers only count whole seconds. */
function newClient(origin: string): Client {
  return new Client(origin, { pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
}

function originOf({ host, port }: Address): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** A connection that the server closed while it lay idle is no failure of the server: asked again, once. */
async function getTwice(line: Line, endpoint: string, question: Question): Promise<Answer> {
  const before = line.connects;
  try {
    return await get(line.client, endpoint, question);
  } catch (error) {
    if (!isHangUp(error) || before === 0 || line.connects !== before) throw error;
    return get(line.client, endpoint, question);
  }
}

async function get(client: Client, path: string, question: Question): Promise<Answer> {
  const headers = {
    accept: 'application/json',
    'accept-encoding': 'identity',
    'user-agent': 'mcp-orchestration',
  };
  const response = await client.request({ method: 'GET', path, headers, signal: question.signal });
  question.answered = true;
  return { code: response.statusCode, ...(await readBody(response, question.signal)) };
}

async function readBody(
  { headers, body }: Dispatcher.ResponseData,
  signal: AbortSignal,
): Promise<{ text: string | null; trouble: string }> {
  const encoding = headers['content-encoding'] ?? 'identity';
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MOST_BODY_BYTES) return { text: null, trouble: 'the body is larger than 64 KiB' };
      chunks.push(chunk);
    }
  } catch (error) {
    if (signal.aborted) throw error;
    return { text: null, trouble: 'the body broke off' };
  }
  if (encoding !== 'identity')
    return { text: null, trouble: 'the body is encoded although nobody asked for it' };
  return { text: new TextDecoder().decode(Buffer.concat(chunks)), trouble: '' };
}

function verdictOf(code: number, body: HealthBody | null, strict: boolean): ProbeResult {
  if (body?.status === 'down') return failed('body_down', false);
  if (body?.stale === true) return failed('stale', false);
  if (body?.status === 'degraded') return healthy({ outcome: 'degraded', reason: 'body_degraded' });
  if (body?.status === 'ok') return healthy();
  if (code !== 200) return failed(`status_${code}`, false);
  return strict ? failed('unreadable_body', false) : healthy();
}

const codeDepartures = (code: number, body: HealthBody): string[] =>
  code === 503 && body.status === 'ok' ? ['the code is 503 although the status is ok'] : [];
