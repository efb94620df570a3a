import type { ServerRecord, SourceStatus } from '../model/status.ts';
import { painted, table, type Cell, type Style, type Tone } from './table.ts';

/** The fields of `/health/status` that people read. */
export interface Ecosystem {
  readonly index: number;
  readonly source: SourceStatus;
  readonly view: 'clear' | 'suspect';
  readonly summary: Readonly<Record<string, number>>;
  readonly servers: readonly ServerRecord[];
}

/** Everybody, a line each, under where the manifest comes from. */
export function statusText({ source, view, summary, servers }: Ecosystem, style: Style): string {
  const doubt = view === 'suspect' ? painted({ text: `${DOUBT}\n`, tone: 'bad' }, style) : '';
  return [
    sourceText(source, style),
    `${summaryText(summary)}\n`,
    doubt,
    '\n',
    serversText(servers, style),
  ].join('');
}

/** One server, a line a fact; what is not there is left out. */
export function recordText(record: ServerRecord, style: Style): string {
  const { recovery, update, endpoints } = record;
  const facts: [string, Cell | null][] = [
    ['server', { text: record.name, tone: 'strong' }],
    ['phase', phaseCell(record)],
    ['health', healthCell(record)],
    ['since', record.since],
    ['up for', record.uptime_seconds === null ? null : longText(record.uptime_seconds)],
    ['version', versionText(record)],
    ['image', record.image],
    ['reason', toned(record.reason, 'warn')],
    ['do', toned(record.suggested_action, 'strong')],
    ['now', record.why],
    ['mcp', record.mcp_url],
    ...endpoints.map(({ role, container_mcp_url: url, instance }): [string, Cell | null] => [
      role,
      url ?? instance,
    ]),
    ['recovery', recovery.attempts > 0 ? `${recovery.attempts} of ${recovery.max_attempts} attempts` : null],
    ['update', update.state === 'none' ? null : update.state],
    ['check', toned(update.at && `failed since ${update.at}: ${update.reason}`, 'warn')],
    ['available', update.available],
    ...update.passed_over.map((each): [string, Cell] => ['skipped', `${each.image}: ${each.reason}`]),
    ...update.quarantined.map((each): [string, Cell] => [
      'set aside',
      { text: `${each.version ?? each.image_digest} at ${each.gate}: ${each.reason}`, tone: 'warn' },
    ]),
    ['revision', record.revision],
    ['trace', record.trace_id],
  ];
  return table(
    facts.flatMap(([name, cell]) => (cell === null ? [] : [[{ text: name, tone: 'quiet' }, cell]])),
    style,
  );
}

/** `45s`, `12m`, `3h 20m`, `4d 2h`. */
export function longText(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days}d ${hours}h`;
  return hours > 0 ? `${hours}h ${minutes}m` : `${minutes}m`;
}

const DOUBT = 'so many servers fell silent at once that our own view is doubted: nothing is restarted';

function serversText(servers: readonly ServerRecord[], style: Style): string {
  if (servers.length === 0) return 'no servers\n';
  const head = ['SERVER', 'VERSION', 'PHASE', 'HEALTH', 'UP', 'MCP', 'NOW'];
  const rows = servers.map((record): Cell[] => [
    { text: record.name, tone: 'strong' },
    versionText(record),
    phaseCell(record),
    healthCell(record),
    record.uptime_seconds === null ? '-' : longText(record.uptime_seconds),
    record.mcp_url ?? '-',
    { text: [record.reason, record.why].filter((each) => each !== null).join(': '), tone: 'quiet' },
  ]);
  return table([head.map((text): Cell => ({ text, tone: 'quiet' })), ...rows], style);
}

function sourceText(source: SourceStatus, style: Style): string {
  const { url, branch, applied_revision: applied, attempted_revision: attempted, state, error } = source;
  const parts: Cell[] = [
    url,
    branch ?? '',
    shortRevision(applied ?? attempted),
    { text: state, tone: state === 'synced' ? 'good' : 'warn' },
  ];
  const told = parts.map((part) => painted(part, style)).filter((part) => part !== '');
  const why = error === null ? '' : `${painted({ text: error, tone: 'bad' }, style)}\n`;
  return `${told.join('  ')}\n${why}`;
}

const summaryText = (summary: Ecosystem['summary']): string =>
  Object.entries(summary)
    .filter(([name, count]) => name === 'total' || count > 0)
    .map(([name, count]) =>
      name === 'total' ? `${count} ${count === 1 ? 'server' : 'servers'}` : `${count} ${name}`,
    )
    .join(', ');

const shortRevision = (revision: string | null): string =>
  revision === null ? '' : revision.replace(/^(sha256:)?(.{12}).*$/, '$1$2');

function versionText({ version, desired_version: desired }: ServerRecord): string {
  if (version === desired || desired === null) return version ?? '-';
  return `${version ?? '-'} -> ${desired}`;
}

const toned = (text: string | null, tone: Tone): Cell | null => (text === null ? null : { text, tone });

function phaseCell({ phase }: ServerRecord): Cell {
  const bad = phase === 'failed' || phase === 'refused' || phase === 'undeployable';
  const quiet = phase === 'ready' || phase === 'stopped';
  return { text: phase, tone: bad ? 'bad' : quiet ? 'plain' : 'warn' };
}

const healthCell = ({ health }: ServerRecord): Cell => ({ text: health, tone: healthTones[health] });

const healthTones: { readonly [H in ServerRecord['health']]: Tone } = {
  healthy: 'good',
  degraded: 'warn',
  unhealthy: 'bad',
  unknown: 'quiet',
};
