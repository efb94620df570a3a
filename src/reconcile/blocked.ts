import type { Failure } from '../model/failure.ts';
import type { Blocked } from '../model/world.ts';

/** What keeps an entry from being sealed. */
export interface Trouble {
  readonly entry: string;
  readonly failure: Failure;
  /** Failures in a row, from 1. */
  readonly count: number;
  /** Unix ms of the next try. */
  readonly until: number;
}

export const resolving: Blocked = {
  phase: 'pending',
  reason: 'resolving_image',
  message: 'the registry is being asked which digest its tag stands for',
  suggestedAction: null,
  until: null,
};

export const choosing: Blocked = {
  phase: 'pending',
  reason: 'choosing_version',
  message: 'the version it went to was set aside: the registry is being asked for the next best',
  suggestedAction: null,
  until: null,
};

export function missingSecret(server: string, names: readonly string[]): Blocked {
  const list = names.join(', ');
  return {
    phase: 'refused',
    reason: 'missing_secret',
    message: `a required secret is not there: ${list}`,
    suggestedAction: `put the value into <secrets folder>/${server}/${names[0] ?? ''} (one file per secret), then run: mcp-orchestration sync`,
    until: null,
  };
}

export function blockedBy({ failure, until }: Trouble): Blocked {
  return {
    phase: failure.code === 'secret_unreadable' ? 'refused' : 'failed',
    reason: failure.code,
    message: failure.message,
    suggestedAction: failure.suggestedAction,
    until,
  };
}
