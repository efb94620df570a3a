import { Failure } from '../../src/model/failure.ts';
import type { Random } from '../support/random.ts';

/** One kind of input that other people write. */
export interface Field {
  readonly name: string;
  /** Tries one input; each law that it broke in a sentence. What it throws is a broken law as well. */
  attempt(random: Random): string[] | Promise<string[]>;
  close(): Promise<void>;
}

/** Text that is for people, and maybe for their terminal. */
export function brokenInText(text: string, secrets: readonly string[] = []): string[] {
  const found: string[] = [];
  if (/\n\s+at .+:\d+:\d+/.test(text)) found.push(`a stack is told: ${shown(text)}`);
  if (text.length > 100_000) found.push(`${text.length} characters are told`);
  const escape = /[^\P{Cc}\n]/u.exec(text);
  if (escape !== null)
    found.push(`a control character is told: ${shown(text.slice(Math.max(0, escape.index - 60)))}`);
  for (const secret of secrets) if (text.includes(secret)) found.push(`a secret is told: ${shown(text)}`);
  return found;
}

/** What may come instead of an answer: a failure of the world with a sentence, and nothing else. */
export function brokenInFailure(error: unknown, secrets: readonly string[] = []): string[] {
  if (!(error instanceof Failure)) return [`throws what is no Failure: ${stackOf(error)}`];
  const { message, suggestedAction } = error;
  return [message, suggestedAction ?? ''].flatMap((text) =>
    secrets.some((secret) => text.includes(secret)) ? [`a secret is told: ${shown(text)}`] : [],
  );
}

export const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(error);

export const shown = (text: string): string => JSON.stringify(text.slice(0, 300));

/** Parts that no text has by chance. */
export const secretWords = (random: Random, count: number): string[] =>
  Array.from({ length: count }, () => `zQ${random.whole(100_000, 999_999)}k`);
