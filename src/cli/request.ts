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
  arguments: { id: server },
  options,
  run: ({ id, ...how }, io) => request({ ...plain, request: 'resume', server: id }, how, io),
});

export const retry = defineCommand({
  name: 'retry',
  summary: "Forget a server's quarantine and recovery attempts, and try again",
  arguments: { id: required('id', 'the server') },
  options,
  run: ({ id, ...how }, io) => request({ ...plain, request: 'retry', server: id }, how, io),
});

export const sync = defineCommand({
  name: 'sync',
  summary: 'Look at the manifest now',
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
