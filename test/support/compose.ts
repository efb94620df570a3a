import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../examples/engine/commands.ts';
import type { OpenedEngine } from '../../examples/engine/engine.ts';

interface ComposeOrder {
  readonly engine: OpenedEngine;
  /** Where it lies with its folder of secrets. */
  readonly folder: string;
  /** For the project and the volume of the state. */
  readonly name: string;
  /** Texts of the file that are otherwise here: the socket, the image, the port. */
  readonly instead: Readonly<Record<string, string>>;
  /** What the service has beside what the file says. */
  readonly more: Readonly<Record<string, unknown>>;
  /** What a person exports before. */
  readonly exported: Readonly<Record<string, string>>;
}

/** A command of docker-compose on the file of examples/deploy, which is as it is but for what belongs to this machine. */
export async function composeOf(order: ComposeOrder): Promise<(...command: string[]) => Promise<string>> {
  const { engine, folder, name, instead, more: beside, exported } = order;
  const text = await readFile(new URL('../../examples/deploy/compose.yaml', import.meta.url), 'utf8');
  const [file, more] = [join(folder, 'compose.yaml'), join(folder, 'more.yaml')];
  await mkdir(join(folder, 'secrets'), { recursive: true });
  await writeFile(join(folder, 'secrets/status-token'), 'a-token-of-a-test\n');
  await chmod(join(folder, 'secrets'), 0o755);
  await writeFile(
    file,
    Object.entries({ ...instead, 'name: mcp-orchestration_state': `name: ${name}` }).reduce(replaced, text),
  );
  await writeFile(more, JSON.stringify({ services: { 'mcp-orchestration': beside } }));
  const env = { ...process.env, DOCKER_HOST: engine.dockerHost, ...exported };
  return (...command) =>
    run('docker-compose', ['--project-name', name, '--file', file, '--file', more, ...command], {
      deadlineMs: 150_000,
      env,
    });
}

/** Throws where the file has no such text any more. */
function replaced(text: string, [old, now]: readonly [string, string]): string {
  if (!text.includes(old)) throw new Error(`the compose file has no ${old}`);
  return text.replaceAll(old, now);
}
