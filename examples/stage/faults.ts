import { askEngine } from '../engine/engine-call.ts';
import { containersOf } from './containers.ts';
import type { Stage } from './stage.ts';

/** The container of a server that runs. Throws when there is none. */
export async function runningOf(stage: Pick<Stage, 'engine' | 'owner'>, server: string): Promise<string> {
  const all = await containersOf(stage.engine, stage.owner, server);
  const running = all.find(({ State }) => State === 'running');
  if (running === undefined) throw new Error(`nothing of ${server} runs`);
  return running.Id;
}

/** Its process stops in the middle of everything: connections are still taken, and nobody answers. */
export const hang = (stage: Pick<Stage, 'engine' | 'owner'>, server: string): Promise<void> =>
  signalServer(stage, server, 'SIGSTOP');

/** What hangs goes on as if nothing had been. */
export const goOn = (stage: Pick<Stage, 'engine' | 'owner'>, server: string): Promise<void> =>
  signalServer(stage, server, 'SIGCONT');

/** Its process is gone at once, and nobody asked the engine for it. */
export const crash = (stage: Pick<Stage, 'engine' | 'owner'>, server: string): Promise<void> =>
  signalServer(stage, server, 'SIGKILL');

async function signalServer(
  stage: Pick<Stage, 'engine' | 'owner'>,
  server: string,
  signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL',
): Promise<void> {
  const { socket } = stage.engine.docker;
  const headers = { 'content-type': 'application/json' };
  const post = (path: string, body: object): ReturnType<typeof askEngine> =>
    askEngine(socket, path, { method: 'POST', headers, body: JSON.stringify(body) });
  const exec = {
    Cmd: ['node', '-e', signalFromInside, 'signal', signal],
    AttachStdout: true,
    AttachStderr: true,
    Tty: true,
  };
  const { text } = await post(`/containers/${await runningOf(stage, server)}/exec`, exec);
  const { Id } = JSON.parse(text) as { readonly Id: string };
  const said = await post(`/exec/${Id}/start`, { Detach: false, Tty: true });
  if (!said.text.includes('signalled')) throw new Error(`${server} could not be signalled: ${said.text}`);
}

/** Its first process is the engine's own init, which only hands signals on: what is meant is the one below it. */
const signalFromInside = `
const { readdirSync, readFileSync } = require('node:fs');
for (const pid of readdirSync('/proc').map(Number).filter((pid) => pid > 1 && pid !== process.pid)) {
  const words = readFileSync('/proc/' + pid + '/cmdline', 'utf8').split(String.fromCharCode(0));
  if (!words.some((word) => word.endsWith('server.js'))) continue;
  console.log('signalled');
  process.kill(pid, process.argv[2]);
}`;
