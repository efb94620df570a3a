// `up` keeps an engine and a registry running for many test runs, `down` ends them.
import { spawn } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './commands.ts';
import { openEngine } from './engine.ts';
import { typescriptFlags } from './keeping.ts';
import { signal } from './processes.ts';
import { recordPath } from './record.ts';

interface Holding {
  readonly pid: number;
  readonly record: string;
}

const [command, name = 'shared'] = process.argv.slice(2);
const holdingPath = join(tmpdir(), `mcp-orchestration-engine.${name}.json`);
const commands: Readonly<Record<string, () => Promise<void>>> = { up, down, hold };
const chosen = commands[command ?? ''];
if (chosen === undefined) {
  console.error('usage: main.ts up|down [name]');
  process.exitCode = 64;
} else {
  await chosen();
}

async function up(): Promise<void> {
  if ((await readHolding()) === undefined) await startHolder();
  const holding = await readHolding();
  if (holding === undefined) throw new Error('the engine did not come up; run `main.ts hold` to see why');
  console.log(`export MCP_ORCHESTRATION_TEST_ENGINE=${holding.record}`);
}

async function startHolder(): Promise<void> {
  const args = [...typescriptFlags(), fileURLToPath(import.meta.url), 'hold', name];
  const holder = spawn(process.execPath, args, { detached: true, stdio: 'ignore' });
  holder.unref();
  await until(async () => holder.exitCode !== null || (await readHolding()) !== undefined, 300_000);
}

async function down(): Promise<void> {
  const holding = await readHolding();
  if (holding === undefined) return;
  signal(holding.pid, 'SIGTERM');
  if (!(await until(async () => (await readHolding()) === undefined, 60_000)))
    throw new Error('the engine did not go down');
}

async function hold(): Promise<void> {
  const engine = await openEngine({
    env: { ...process.env, MCP_ORCHESTRATION_TEST_ENGINE: '' },
    say: console.error,
  });
  await writeFile(holdingPath, JSON.stringify({ pid: process.pid, record: recordPath(engine.directory) }));
  const heartbeat = setInterval(() => undefined, 60_000); // nothing else keeps this process alive
  await new Promise<void>((resolve) => process.once('SIGTERM', resolve).once('SIGINT', resolve));
  clearInterval(heartbeat);
  await engine.stop();
  await rm(holdingPath, { force: true });
}

async function readHolding(): Promise<Holding | undefined> {
  try {
    const holding = JSON.parse(await readFile(holdingPath, 'utf8')) as Holding;
    process.kill(holding.pid, 0);
    await readFile(holding.record);
    return holding;
  } catch {
    return undefined;
  }
}
