import type { ServerRecord } from '../model/status.ts';
import { defineCommand } from './command.ts';
import { choice, flag, required } from './options.ts';
import { ask, clientOptions, refusalOf } from './status-client.ts';

const clients = [
  ...(['claude-code', 'claude-desktop', 'cursor', 'vscode'] as const),
  ...(['zed', 'opencode', 'gh-aw', 'docker-gateway'] as const),
] as const;

type Client = (typeof clients)[number];

/** Addresses as they are now: a published port may change when a server is replaced; behind a gateway it does not matter. */
export const exportCommand = defineCommand({
  name: 'export',
  summary: 'Print the configuration that points a client at the running servers',
  about:
    'Asks the running orchestrator where its servers answer and prints that in the form of a ' +
    'client. Addresses may change when a server is replaced: a gateway does not mind, a client ' +
    'is told anew.',
  exits: { 0: 'printed', 1: 'no orchestrator answers, or it has not looked yet' },
  examples: [
    'mcp-orchestration export client-config > .mcp.json',
    'mcp-orchestration export client-config --client vscode --all',
  ],
  arguments: { what: { ...required('what', 'client-config'), words: ['client-config'], read: readWhat } },
  options: {
    ...clientOptions,
    client: choice<Client>('whose form', clients, 'claude-code'),
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
    const { key, entry } = forms[values.client];
    const entries = servers
      .filter((each) => !left.includes(each))
      .map(({ name, transport, mcp_url: url }) => [
        name,
        entry(url ?? '', transport === 'sse' ? 'sse' : 'http'),
      ]);
    io.stdout.write(`${JSON.stringify({ [key]: Object.fromEntries(entries) as object }, null, 2)}\n`);
    return 0;
  },
});

function readWhat(texts: readonly string[]) {
  const [what = ''] = texts;
  return what === 'client-config'
    ? ({ ok: true, value: what } as const)
    : ({ ok: false, error: `must be client-config, not "${what}"` } as const);
}

interface Form {
  readonly key: string;
  readonly entry: (url: string, type: 'http' | 'sse') => unknown;
}

const typed = (url: string, type: string): unknown => ({ type, url });

const forms: Readonly<Record<Client, Form>> = {
  'claude-code': { key: 'mcpServers', entry: typed },
  // Claude Desktop speaks stdio alone: a bridge speaks HTTP for it.
  'claude-desktop': {
    key: 'mcpServers',
    entry: (url) => ({ command: 'npx', args: ['-y', 'mcp-remote', url] }),
  },
  cursor: { key: 'mcpServers', entry: (url) => ({ url }) },
  vscode: { key: 'servers', entry: typed },
  zed: { key: 'context_servers', entry: (url) => ({ url }) },
  opencode: { key: 'mcp', entry: (url) => ({ type: 'remote', url, enabled: true }) },
  'gh-aw': { key: 'mcpServers', entry: typed },
  // A catalog of Docker's gateway, which reads YAML: JSON is YAML.
  'docker-gateway': {
    key: 'registry',
    entry: (url, type) => ({
      type: 'remote',
      remote: { url, transport_type: type === 'sse' ? 'sse' : 'streamable' },
    }),
  },
};
