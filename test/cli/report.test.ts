import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { report } from '../../src/cli/report.ts';
import { toLine } from '../../src/journal/line.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { event, START, stateFolder } from '../journal/sample.ts';
import { terminal } from './terminal.ts';

const who = { server_name: 'mcp-server-coda', container_id: 'c1' };
const at = (seconds: number) => ({ time_ms: START + seconds * 1_000 });
const older = [
  event(1, { event_type: 'orchestrator_started', server_name: undefined, ...at(0) }),
  event(2, { event_type: 'server_ready', ...who, ...at(10) }),
];
const newer = [
  event(3, {
    event_type: 'server_down',
    ...{ incident_id: 'inc-1', by: 'itself', seconds_to_detect: 0.4, at: START + 500_000 },
    ...{ ...who, ...at(500.4) },
  }),
  event(4, { event_type: 'recovery_successful', ...who, ...at(505) }),
];

async function rotatedLog(): Promise<string> {
  const state = await stateFolder();
  const text = (events: readonly Parameters<typeof toLine>[0][]) =>
    events.map((one) => `${toLine(one)}\n`).join('');
  await writeFile(join(state, 'events-1.jsonl'), text(older));
  await writeFile(join(state, 'events.jsonl'), `garbage\n${text(newer)}`);
  return state;
}

async function shown(options: Record<string, string | boolean>) {
  const io = terminal({ clock: { ...systemClock, now: () => START + 1_010_000 } });
  const code = await report.run({ arguments: [], options }, io);
  return { code, out: io.stdout.text, said: io.stderr.text };
}

describe('report', () => {
  it('is a table, folded from all files of the log', async () => {
    const { code, out, said } = await shown({ state: await rotatedLog() });
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      '2026-11-20T12:00:00Z to 2026-11-20T12:16:50Z: watched 16.8 min',
      'SERVER           AVAILABLE  DOWN  INCIDENTS  DETECTED               RECOVERED        ITSELF',
      'mcp-server-coda  99.500 %   5 s   1          0.4 s / 0.4 s / 0.4 s  5 s / 5 s / 5 s  100 %',
      'all              99.500 %   5 s   1          0.4 s / 0.4 s / 0.4 s  5 s / 5 s / 5 s  100 %',
      'times are median / 90 % / longest, from the fault; "itself" ended within 2 minutes and without a person',
      '',
    ]);
    expect(said).toBe('1 lines could not be read and were skipped\n');
  });

  it('is JSON for programs', async () => {
    const { out } = await shown({ state: await rotatedLog(), json: true, since: '600s' });
    expect(JSON.parse(out)).toMatchObject({
      schema_version: '1.0',
      overall: { availability: 0.99166, incidents: 1, open_incidents: 0 },
      servers: [{ server: 'mcp-server-coda', time_to_recover: { median: 5, p90: 5, max: 5 } }],
    });
  });

  it('reckons from the other lines where one makes us stumble, and says which', async () => {
    const state = await stateFolder();
    const poison = { event_type: 'memory_checkpoint', memory: { servers: { a: null } } };
    const lines = [event(1, poison), ...older, ...newer].map((one) => `${toLine(one)}\n`);
    await writeFile(join(state, 'events.jsonl'), lines.join(''));
    const { code, out, said } = await shown({ state });
    expect(code).toBe(0);
    expect(out).toContain('mcp-server-coda  99.500 %   5 s   1 ');
    expect(said).toContain(
      '1 lines were set aside for a mistake of ours; send us the first, seq 1 (memory_checkpoint): TypeError',
    );
  });

  it('says what is open and what nobody watched', async () => {
    const state = await stateFolder();
    const stopped = event(5, { event_type: 'orchestrator_stopped', server_name: undefined, ...at(600) });
    const lines = [...older, newer[0] ?? stopped, stopped].map((one) => `${toLine(one)}\n`).join('');
    await writeFile(join(state, 'events.jsonl'), lines);
    const { out } = await shown({ state });
    expect(out).toContain('watched 10.0 min, 6.8 min nobody watched');
    expect(out).toContain('1 (1 open)');
    expect(out).toMatch(/0\.4 s {2}- /);
  });

  it('says so when there is nothing to tell of', async () => {
    const { code, out, said } = await shown({ state: await stateFolder() });
    expect([code, said]).toEqual([0, expect.stringMatching(/^no event in /)]);
    expect(out).toContain('all     -');
  });
});
