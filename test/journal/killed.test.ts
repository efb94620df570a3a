import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { builtProgram } from '../../examples/stage/built-program.ts';
import { openJournal } from '../../src/journal/index.ts';

const DEATHS = 25;

/** Writes lines and begins files for ever, and says which line is written down. */
const writing = `
const [, journalModule, directory] = process.argv;
const { openJournal } = await import(journalModule);
const journal = await openJournal({ directory, maxBytes: 900, keep: 1_000 });
const line = (event_type, fields) => ({
  event_type, trace_id: 't', timestamp: '2026-11-20T10:00:00Z', repo: 'mcp-orchestration',
  seq: journal.next('events'), time_ms: Date.now(), ...fields,
});
for (;;) {
  const seq = journal.next('events');
  await journal.append('events', line('orchestrator_stopped', { outcome: 'x'.repeat(100) }));
  console.log(seq);
  if (journal.isFull('events')) {
    const first = line('memory_checkpoint', { memory: {} });
    await journal.rotate('events', first);
    console.log(first.seq);
  }
}`;

/** Lets it write until it has said so many lines, and kills it wherever it is then; the last line it said. */
async function writeAndDie(directory: string, lines: number): Promise<number> {
  const journal = pathToFileURL(join(dirname(builtProgram()), 'journal/index.js')).href;
  const child = spawn(process.execPath, ['--input-type=module', '-e', writing, journal, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.split('\n').length > lines) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.once('close', resolve));
  return Number(said.trimEnd().split('\n').at(-1));
}

it('killed while it writes lines and begins new files, no line that was told is lost and no number is given twice', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'killed-journal-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  for (let death = 1; death <= DEATHS; death += 1) {
    // Files begin every fifth line or so: these deaths meet every part of that.
    const told = await writeAndDie(directory, 3 + (death % 11));
    const journal = await openJournal({ directory, maxBytes: 900, keep: 1_000 });
    const { events, skipped } = await journal.replay('events');
    const next = journal.next('events');
    await journal.close();
    expect(skipped).toBe(0);
    expect(next, `after death ${death}`).toBeGreaterThan(told);
    const seqs = events.map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.map((_, position) => (seqs[0] ?? 0) + position));
    expect(seqs.at(-1)).toBe(next - 1);
  }
});
