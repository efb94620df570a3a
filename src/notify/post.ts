import { readFile } from 'node:fs/promises';
import { request } from 'undici';
import { Failure } from '../model/failure.ts';

interface Post {
  readonly url: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Posts JSON; only 2xx is arrival. Rejects with `notify_failed`, whose message never holds the address: it may be a secret. */
export async function post({ url, body, headers }: Post, signal: AbortSignal): Promise<void> {
  const json = { 'content-type': 'application/json', 'user-agent': 'mcp-orchestration', ...headers };
  try {
    const response = await request(url, { method: 'POST', headers: json, body, signal });
    await response.body.dump({ limit: 65_536, signal });
    if (response.statusCode >= 200 && response.statusCode < 300) return;
    throw refusal(response.statusCode);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('notify_failed', `the receiver cannot be reached (${codeOf(error)})`);
  }
}

/** Whose fault: these codes are about the message itself, which would be refused again; all others may pass. */
function refusal(code: number): Failure {
  const itself = code === 400 || code === 413 || code === 422;
  return new Failure('notify_failed', `the receiver answers ${code}`, {
    class: itself ? 'version' : 'world',
  });
}

/** Read at each sending, so that a changed secret is taken up. Rejects with `notify_failed`. */
export async function readSecretFile(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw new Failure('notify_failed', `${path} cannot be read (${codeOf(error)})`);
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error
    ? String(error.code)
    : error instanceof Error
      ? error.name
      : 'unknown';
