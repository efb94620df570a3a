import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../engine/commands.ts';
import type { OpenedEngine } from '../engine/engine.ts';
import { builtProgram } from './built-program.ts';

export interface OrchestratorOrder {
  readonly engine: OpenedEngine;
  /** For `--manifest`. */
  readonly manifest: string;
  /** Holds the state folder and the log. */
  readonly folder: string;
  readonly owner: string;
  /** More options of `run`. */
  readonly options?: readonly string[];
  /** Another socket than the engine's own. */
  readonly dockerSocket?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Exit {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** An orchestrator in a process of its own, as a person would start it. */
export interface OrchestratorProcess {
  readonly pid: number;
  readonly state: string;
  readonly eventsFile: string;
  /** Base URL of the status endpoint, once it listens; rejects with the log when it ends before, or after 30 s. */
  url(): Promise<string>;
  readonly ended: Promise<Exit>;
  /** What it wrote to both outputs since this start. */
  log(): Promise<string>;
  /** SIGTERM, and SIGKILL when that has no effect within 20 s; the exit. */
  stop(): Promise<Exit>;
  /** SIGKILL; the exit. */
  kill(): Promise<Exit>;
  signal(name: NodeJS.Signals): void;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const endWithParent = new URL('end-with-parent.js', import.meta.url).href;

/** Starts `run`; it ends when this process ends. */
export function startOrchestrator(order: OrchestratorOrder): OrchestratorProcess {
  const state = join(order.folder, 'state');
  mkdirSync(order.folder, { recursive: true });
  const logFile = join(order.folder, 'orchestrator.log');
  const output = openSync(logFile, 'a', 0o600);
  const begun = fstatSync(output).size;
  const child = startProgram(runArguments(order, state), { output, env: order.env ?? {} });
  closeSync(output);
  const ended = new Promise<Exit>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  const log = async (): Promise<string> => (await readFile(logFile)).subarray(begun).toString('utf8');
  const end = (name: NodeJS.Signals): Promise<Exit> => {
    child.kill(name);
    return ended;
  };
  return {
    ...{ pid: child.pid ?? 0, state, eventsFile: join(state, 'events.jsonl'), ended, log },
    url: () => statusUrl(child, log),
    stop: () => stopWithin(end, ended),
    kill: () => end('SIGKILL'),
    signal: (name) => void child.kill(name),
  };
}

async function stopWithin(end: (name: NodeJS.Signals) => Promise<Exit>, ended: Promise<Exit>): Promise<Exit> {
  const late = setTimeout(() => void end('SIGKILL'), 20_000);
  void end('SIGTERM');
  return ended.finally(() => clearTimeout(late));
}

/** The options that make `run` work on the engine of the examples and no other. */
export function runArguments(order: OrchestratorOrder, state: string): string[] {
  const { engine, manifest, owner } = order;
  return [
    ...['run', '--manifest', manifest, '--state', state, '--owner', owner, '--listen', '127.0.0.1:0'],
    ...['--docker', order.dockerSocket ?? engine.docker.socket],
    ...['--trust', `127.0.0.1:${engine.registry.port}/liminalcommons/*`],
    ...(order.options ?? []),
  ];
}

/** Starts the program as its source is now, in a process that ends with this one. */
export function startProgram(
  args: readonly string[],
  { output, env }: { readonly output: number | 'pipe'; readonly env: Readonly<Record<string, string>> },
): ChildProcess {
  return spawn(process.execPath, ['--import', endWithParent, builtProgram(), ...args], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['pipe', output, output],
  });
}

/** It says where it listens in its log, as it was told to take any free port. */
async function statusUrl(child: ChildProcess, log: () => Promise<string>): Promise<string> {
  let url: string | undefined;
  const told = await until(async () => {
    url = /"status":"(http:[^"]+)"/.exec(await log())?.[1];
    return url !== undefined || child.exitCode !== null || child.signalCode !== null;
  }, 30_000);
  if (url !== undefined) return url;
  const how = told ? `ended with code ${child.exitCode}` : 'does not listen after 30 s';
  throw new Error(`the orchestrator ${how}:\n${(await log()).slice(-4_000)}`);
}
