import type { Clock } from '../lib/clock.ts';
import { ownValue } from '../lib/own-value.ts';
import type { ProbeResult } from './probe.ts';
import { failed, unknown } from './result.ts';

/** A timer that fires this much late means that we were asleep, not the server. */
const LATE_MS = 1000;

export interface Question {
  /** Aborts at the deadline, and when the caller gives up. */
  readonly signal: AbortSignal;
  /** Set as soon as anything came back: from then on a failure is not silence. */
  answered: boolean;
}

/** Asks once under one deadline over everything. Whatever goes wrong becomes a result; never rejects. */
export async function askOnce(
  clock: Clock,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ask: (question: Question) => Promise<ProbeResult>,
): Promise<ProbeResult> {
  const startedAt = clock.now();
  const question = { signal: clock.deadline(limits.timeoutMs, limits.signal), answered: false };
  const elapsed = () => Math.max(0, clock.now() - startedAt);
  try {
    question.signal.throwIfAborted();
    return { ...(await ask(question)), responseTimeMs: elapsed() };
  } catch (error) {
    if (limits.signal.aborted) return unknown('aborted');
    if (!question.signal.aborted) return resultOf(error, question);
    return elapsed() > limits.timeoutMs + LATE_MS ? unknown('probe_late') : timedOut(question);
  }
}

/** The peer hung up without an answer; on a kept connection that may only mean that it was kept too long. */
export const isHangUp = (error: unknown): boolean => ownValue(reasons, codeOf(error)) === 'closed';

const timedOut = (question: Question): ProbeResult => failed('timeout', !question.answered);

/** What a socket error says about the server. A code that is not here is a trouble of our own (EMFILE, ENETUNREACH, DNS). */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'closed',
  EPIPE: 'closed',
  UND_ERR_SOCKET: 'closed',
  EHOSTUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_OVERFLOW: 'bad_answer',
  HTTPParserError: 'bad_answer',
};

function resultOf(error: unknown, question: Question): ProbeResult {
  const reason = ownValue(reasons, codeOf(error));
  if (reason === undefined) return unknown('probe_error');
  return failed(reason, reason !== 'bad_answer' && !question.answered);
}

/** undici's parser error mostly comes without a code: its name stands in. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if (error.name === 'HTTPParserError') return error.name;
  return 'code' in error ? String(error.code) : '';
}
