import { randomUUID } from 'node:crypto';
import { awaitAnswer, leaveRequest } from '../state/index.ts';
import type { Request } from '../state/state.ts';
import { defineCommand, type Io } from './command.ts';
import { durationOrNone, flag, required, text } from './options.ts';
import { stateOption } from './shared.ts';

/** What a person may ask of the running orchestrator. It alone writes; the commands only leave a note and await its answer. */

const options = { ...stateOption, json: flag('print the answer as JSON') };
const server = text('id', 'one server; without it, all of them');

export const pause = defineCommand({
  name: 'pause',
  summary: 'Stop deeds, never watching, for a while or until resumed',
  about:
    'Leaves a request that the running orchestrator takes and writes down: no deeds for one ' +
    'server, or for all. It goes on watching and telling.',
  exits: { 0: 'taken', 1: 'refused, or no orchestrator took it within 10 s' },
  examples: [
    "mcp-orchestration pause mcp-server-github --for 2h --reason 'a fair'",
    'mcp-orchestration pause',
  ],
  arguments: { id: server },
  options: {
    ...options,
    for: durationOrNone('how long, such as 2h; without it until resumed'),
    reason: text('text', 'why; it is written into the event log'),
  },
  run: ({ id, for: forSeconds, reason, ...how }, io) =>
    request({ request: 'pause', server: id, forSeconds, reason }, how, io),
});

export const resume = defineCommand({
  name: 'resume',
  summary: 'Go on after a pause',
  about: 'Ends a pause, of one server or of all.',
  exits: { 0: 'taken', 1: 'refused, or no orchestrator took it within 10 s' },
  examples: ['mcp-orchestration resume mcp-server-github', 'mcp-orchestration resume'],
  arguments: { id: server },
  options,
  run: ({ id, ...how }, io) => request({ ...plain, request: 'resume', server: id }, how, io),
});

export const retry = defineCommand({
  name: 'retry',
  summary: "Forget a server's quarantine and recovery attempts, and try again",
  about:
    "Lifts the quarantine of a server's versions and begins its recovery attempts anew. For " +
    'when the cause lay elsewhere and is gone.',
  exits: { 0: 'taken', 1: 'refused, or no orchestrator took it within 10 s' },
  examples: [
    'mcp-orchestration retry mcp-server-github',
    'mcp-orchestration retry mcp-server-github --state /var/lib/mcp-orchestration --json',
  ],
  arguments: { id: required('id', 'the server') },
  options,
  run: ({ id, ...how }, io) => request({ ...plain, request: 'retry', server: id }, how, io),
});

export const sync = defineCommand({
  name: 'sync',
  summary: 'Look at the manifest now',
  about:
    'Makes the running orchestrator look at its source at once instead of at the next poll. ' +
    'For webhooks.',
  exits: { 0: 'taken', 1: 'no orchestrator took it within 10 s' },
  examples: ['mcp-orchestration sync', 'mcp-orchestration sync --state /var/lib/mcp-orchestration --json'],
  arguments: {},
  options,
  run: (how, io) => request({ ...plain, request: 'sync', server: null }, how, io),
});

const plain = { forSeconds: null, reason: null };

/** Contracts section 1: exit code 1 when no orchestrator took it within 10 s. */
const ANSWER_WITHIN_MS = 10_000;

interface How {
  readonly state: string;
  readonly json: boolean;
}

async function request(asked: Omit<Request, 'id' | 'at'>, { state, json }: How, io: Io): Promise<number> {
  const at = io.clock.now();
  const id = `${at}-${randomUUID()}`;
  await leaveRequest(state, { ...asked, id, at });
  const signal = io.clock.deadline(ANSWER_WITHIN_MS, io.signal);
  const answer = await awaitAnswer(state, id, { clock: io.clock, signal });
  const { accepted, message } = answer ?? { accepted: false, message: nobody(state) };
  const told = { request: asked.request, server: asked.server, accepted, message };
  if (json) io.stdout.write(`${JSON.stringify(told)}\n`);
  else if (accepted) io.stdout.write(`${message}\n`);
  else io.stderr.write(`${asked.request}: ${message}\n`);
  return accepted ? 0 : 1;
}

const nobody = (state: string): string =>
  `no orchestrator took it within ${ANSWER_WITHIN_MS / 1000} s; is one running on the state folder ${state}? (see --state)`;
