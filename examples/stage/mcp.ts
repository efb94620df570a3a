import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const deadlineMs = 15_000;

/** A session with one server, for as long as its client likes. */
export interface Session {
  /** What the tool says, as text. */
  call(tool: string): Promise<string>;
  close(): Promise<void>;
}

export async function openSession(mcpUrl: string): Promise<Session> {
  const client = new Client({ name: 'a-client', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  const transport = new StreamableHTTPClientTransport(new URL(mcpUrl));
  const timeout = { timeout: deadlineMs };
  await client.connect(transport, timeout);
  return {
    async call(name) {
      const answer = await client.callTool({ name, arguments: {} }, timeout);
      return (answer.content as readonly { readonly text?: string }[]).map(({ text }) => text ?? '').join();
    },
    async close() {
      await transport.terminateSession();
      await client.close();
    },
  };
}

/** Lists the tools behind an endpoint and calls one, in a session of its own. Throws when any of it fails. */
export async function callTool(
  mcpUrl: string,
  tool: string,
  input: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly tools: readonly string[]; readonly text: string }> {
  const client = new Client({ name: 'a-client', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  const transport = new StreamableHTTPClientTransport(new URL(mcpUrl));
  const timeout = { timeout: deadlineMs };
  await client.connect(transport, timeout);
  try {
    const { tools } = await client.listTools({}, timeout);
    const answer = await client.callTool({ name: tool, arguments: { ...input } }, timeout);
    const content = answer.content as readonly { readonly type: string; readonly text?: string }[];
    return {
      tools: tools.map(({ name }) => name).sort(),
      text: content.map(({ text }) => text ?? '').join(),
    };
  } finally {
    await transport.terminateSession();
    await client.close();
  }
}
