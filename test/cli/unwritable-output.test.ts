import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startProgram } from '../../examples/stage/orchestrator.ts';
import { eventually } from '../support/eventually.ts';

const MANIFEST = `version: "1.1"
servers:
  - name: mcp-server-a
    version: "1.0.0"
    docker: { image: liminalcommons/mcp-server-a, port: 8080 }
    update: { min_healthy_seconds: 0 }
`;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unwritable-output-'));
  await writeFile(join(folder, 'ecosystem-manifest.yaml'), MANIFEST);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** With both outputs on a disk that is full, as `/dev/full` is for ever. */
function onFullDisk(args: readonly string[]): ReturnType<typeof startProgram> {
  const full = openSync('/dev/full', 'w');
  try {
    return startProgram(args, { output: full, env: {} });
  } finally {
    closeSync(full);
  }
}

it('a disk that is full behind the own log of run ends nobody’s watch', async () => {
  const state = join(folder, 'state');
  const args = ['--manifest', folder, '--state', state, '--runtime', 'memory', '--listen', '127.0.0.1:0'];
  const child = onFullDisk(['run', ...args]);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await eventually(async () =>
    expect(await readFile(join(state, 'events.jsonl'), 'utf8')).toContain('revision_settled'),
  );
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});

it('output that could not be written is no success', async () => {
  const child = onFullDisk(['validate', folder]);
  expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(1);
});
