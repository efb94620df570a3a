import { readFile } from 'node:fs/promises';
import { err, ok, type Result } from '../lib/result.ts';
import type { Io } from './command.ts';
import { text, withoutLogin } from './options.ts';

/** How a command reaches the status endpoint of a running orchestrator. */
export const clientOptions = {
  url: withoutLogin('url', 'status endpoint of the running orchestrator', 'http://127.0.0.1:8090'),
  tokenFile: text('file', 'file with the bearer token that the status endpoint asks for'),
};

export interface Client {
  readonly url: string;
  readonly tokenFile: string | null;
}

interface Got {
  readonly code: number;
  readonly body: unknown;
}

/**
 * One answer as JSON, whatever its code; an error is one sentence. `waitSeconds` is how long the endpoint may take by
 * agreement; it gets 10 s beyond.
 */
export async function ask(
  client: Client,
  path: string,
  io: Io,
  waitSeconds = 0,
): Promise<Result<Got, string>> {
  if (!URL.canParse(path, client.url)) return err(`--url must be a URL, not "${client.url}"`);
  const headers = await headersFor(client);
  if (!headers.ok) return headers;
  try {
    const response = await fetch(new URL(path, client.url), {
      headers: headers.value,
      redirect: 'error',
      signal: io.clock.deadline((waitSeconds + ANSWER_WITHIN_SECONDS) * 1000, io.signal),
    });
    return ok({ code: response.status, body: await response.json() });
  } catch (error) {
    return err(`no orchestrator answers at ${client.url}: ${reasonOf(error)}`);
  }
}

const ANSWER_WITHIN_SECONDS = 10;

async function headersFor({ tokenFile }: Client): Promise<Result<Record<string, string>, string>> {
  const headers = { accept: 'application/json' };
  if (tokenFile === null) return ok(headers);
  try {
    const token = (await readFile(tokenFile, 'utf8')).trim();
    return ok({ ...headers, authorization: `Bearer ${token}` });
  } catch (error) {
    return err(`the token cannot be read: ${(error as Error).message}`);
  }
}

/** fetch hides what happened in the cause of its "fetch failed". */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : message;
}

/** The message of a refusal, for people. */
export function refusalOf({ code, body }: Got): string {
  const { message, suggested_action: action } = body as { message?: string; suggested_action?: string };
  return `${message ?? `the status endpoint answered ${code}`}${action === undefined ? '' : `; ${action}`}`;
}
