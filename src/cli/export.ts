import type { ServerRecord } from '../model/status.ts';
import { defineCommand } from './command.ts';
import { choice, flag, required } from './options.ts';
import { ask, clientOptions, refusalOf } from './status-client.ts';

/** Addresses as they are now: a published port may change when a server is replaced; behind a gateway it does not matter. */
export const exportCommand = defineCommand({
  name: 'export',
  summary: 'Print the configuration that points a client at the running servers',
  arguments: { what: { ...required('what', 'client-config'), read: readWhat } },
  options: {
    ...clientOptions,
    client: choice('whose form', ['claude-code', 'claude-desktop', 'cursor', 'vscode'], 'claude-code'),
    all: flag('also servers that requests may not be sent to now'),
  },
  async run(values, io) {
    const got = await ask(values, '/servers', io);
    const refused = !got.ok ? got.error : got.value.code === 200 ? null : refusalOf(got.value);
    if (!got.ok || refused !== null) {
      io.stderr.write(`export: ${refused ?? ''}\n`);
      return 1;
    }
    const { servers } = got.value.body as { readonly servers: readonly ServerRecord[] };
    const left = servers.filter((each) => each.mcp_url === null || !(each.routable || values.all));
    for (const { name, why } of left) io.stderr.write(`left out: ${name}: ${why}\n`);
    const entries = servers.filter((each) => !left.includes(each)).map(entryFor(values.client));
    const key = values.client === 'vscode' ? 'servers' : 'mcpServers';
    io.stdout.write(`${JSON.stringify({ [key]: Object.fromEntries(entries) }, null, 2)}\n`);
    return 0;
  },
});

function readWhat(texts: readonly string[]) {
  const [what = ''] = texts;
  return what === 'client-config'
    ? ({ ok: true, value: what } as const)
    : ({ ok: false, error: `must be client-config, not "${what}"` } as const);
}

const entryFor =
  (client: string) =>
  ({ name, mcp_url: url, transport }: ServerRecord): [string, unknown] => {
    const type = transport === 'sse' ? 'sse' : 'http';
    // Claude Desktop speaks stdio alone: a bridge speaks HTTP for it.
    const bridge = { command: 'npx', args: ['-y', 'mcp-remote', url ?? ''] };
    return [name, client === 'claude-desktop' ? bridge : client === 'cursor' ? { url } : { type, url }];
  };
