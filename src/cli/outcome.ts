import { ownValue } from '../lib/own-value.ts';
import type { StatusView } from '../model/status.ts';
import type { Io } from './command.ts';
import { styleOf, table, type Cell, type Tone } from './table.ts';

const tones: Readonly<Record<string, Tone>> = {
  ready: 'good',
  stopped: 'quiet',
  failed: 'bad',
  refused: 'bad',
  held: 'warn',
};

/** What became of every server, for `run --once`. */
export function outcomeTable(view: StatusView | null, io: Pick<Io, 'stdout' | 'env'>): string {
  if (view === null) return '';
  if (view.servers.length === 0) return 'no servers\n';
  const rows = view.servers.map((record): Cell[] => [
    record.name,
    { text: record.phase, tone: ownValue(tones, record.phase) ?? 'plain' },
    record.health,
    record.version ?? '-',
    record.url ?? '-',
    record.reason === null ? record.why : `${record.reason}: ${record.suggested_action ?? record.why}`,
  ]);
  const heading = ['SERVER', 'PHASE', 'HEALTH', 'VERSION', 'URL', 'WHY'].map((text): Cell => ({
    text,
    tone: 'strong',
  }));
  return table([heading, ...rows], styleOf(io.stdout, io.env));
}
