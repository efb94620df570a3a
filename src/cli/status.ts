import type { ServerRecord } from '../model/status.ts';
import { defineCommand, type Io } from './command.ts';
import { flag, text } from './options.ts';
import { ask, clientOptions, refusalOf, type Client } from './status-client.ts';
import { recordText, statusText, type Ecosystem } from './status-text.ts';
import { styleOf } from './table.ts';

export const status = defineCommand({
  name: 'status',
  summary: 'Show what runs, how it is and since when',
  about:
    'Shows every server, or one, as the status endpoint of the running orchestrator tells it. ' +
    'With --watch it is drawn anew at each change.',
  exits: { 0: 'shown', 1: 'no orchestrator answers, or it knows no such server' },
  examples: ['mcp-orchestration status --watch', 'mcp-orchestration status mcp-server-github --json'],
  arguments: { id: text('id', 'name or namespace of one server') },
  options: {
    ...clientOptions,
    json: flag('print the answer of the status endpoint as it is'),
    watch: flag('go on, and show every change'),
  },
  run: (values, io) => (values.watch ? watch(values, io) : once(values, io)),
});

interface Asked extends Client {
  readonly id: string | null;
  readonly json: boolean;
}

const WATCH_SECONDS = 5;
const TRY_AGAIN_MS = 2_000;
const PATIENCE_MS = 5_000;
const ASK_AGAIN_MS = 250;
const CLEAR_SCREEN = '\u001b[H\u001b[2J';

async function once(asked: Asked, io: Io): Promise<number> {
  const until = io.clock.now() + PATIENCE_MS;
  let shown = await look(asked, io, null);
  // One that has just started has not looked yet, and will have in a moment.
  while (shown.early === true && io.clock.now() < until && !io.signal.aborted) {
    await io.clock.sleep(ASK_AGAIN_MS, io.signal);
    shown = await look(asked, io, null);
  }
  if (!shown.ok) io.stderr.write(`status: ${shown.text}\n`);
  else io.stdout.write(shown.text);
  return shown.ok ? 0 : 1;
}

/** Redraws the screen at a terminal; elsewhere each change is a table of its own. Ends with the signal. */
async function watch(asked: Asked, io: Io): Promise<number> {
  let before = '';
  let index: number | null = null;
  while (!io.signal.aborted) {
    const shown = await look(asked, io, index);
    if (io.signal.aborted) break;
    index = shown.index;
    const screen = shown.ok ? shown.text : `status: ${shown.text}\n`;
    if (screen !== before) io.stdout.write(io.stdout.isTTY === true ? `${CLEAR_SCREEN}${screen}` : screen);
    before = screen;
    if (!shown.ok) await io.clock.sleep(TRY_AGAIN_MS, io.signal);
  }
  return 0;
}

interface Shown {
  readonly ok: boolean;
  readonly text: string;
  readonly index: number | null;
  /** It answers, and knows nothing yet. */
  readonly early?: boolean;
}

/** With an index it is waited for a change of it, for as long as times on the screen may stand still. */
async function look(asked: Asked, io: Io, index: number | null): Promise<Shown> {
  const path = asked.id === null ? '/health/status' : `/servers/${encodeURIComponent(asked.id)}/status`;
  const query = index === null ? '' : `?index=${index}&wait=${WATCH_SECONDS}s`;
  const got = await ask(asked, `${path}${query}`, io, WATCH_SECONDS);
  if (!got.ok) return { ok: false, text: got.error, index: null };
  const { code } = got.value;
  if (code !== 200) return { ok: false, text: refusalOf(got.value), index: null, early: code === 503 };
  const body = got.value.body as Ecosystem | ServerRecord;
  return { ok: true, text: textOf(body, asked, io), index: body.index };
}

function textOf(body: Ecosystem | ServerRecord, { json }: Asked, io: Io): string {
  if (json) return `${JSON.stringify(body, null, 2)}\n`;
  const style = styleOf(io.stdout, io.env);
  return 'servers' in body ? statusText(body, style) : recordText(body, style);
}
