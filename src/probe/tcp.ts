import { Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import type { Address } from '../model/observed.ts';
import type { ProbeKind, ProbeResult } from './probe.ts';
import { askOnce, type Question } from './question.ts';
import { failed, healthy, unknown } from './result.ts';

/**
 * The engine's own proxy accepts every connection to a published port and hangs up when nothing listens behind it:
 * only a connection that lasts this long, or says something, has reached the server.
 */
const LASTING_MS = 100;

/** Well if it accepts a connection. */
export function createTcpProbe(clock: Clock): ProbeKind<unknown> {
  return {
    async check(_settings, { address }, timeoutMs, signal) {
      if (address === null) return unknown('no_address');
      return askOnce(clock, { timeoutMs, signal }, (question) => knock(clock, address, question));
    },
  };
}

function knock(clock: Clock, { host, port }: Address, { signal }: Question): Promise<ProbeResult> {
  const socket = new Socket({ signal });
  const outcome = new Promise<ProbeResult>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('data', () => resolve(healthy()));
    socket.once('close', () => resolve(failed('closed', true)));
    socket.connect(port, host, () => void clock.sleep(LASTING_MS, signal).then(() => resolve(healthy())));
  });
  return outcome.finally(() => socket.destroy());
}
