import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';

/**
 * The tools of this server, for one session. This is the file to change.
 *
 * @param {string} name
 * @param {string} version
 */
export function createTools(name, version) {
  const server = new McpServer({ name, version });
  server.registerTool(
    'echo',
    { description: 'Says back what it is told', inputSchema: { text: z.string() } },
    async ({ text }) => answer(text),
  );
  server.registerTool(
    'add',
    { description: 'Adds two numbers', inputSchema: { a: z.number(), b: z.number() } },
    async ({ a, b }) => answer(String(a + b)),
  );
  server.registerTool('whoami', { description: 'Tells which server and version answers' }, async () =>
    answer(`${name} ${version}`),
  );
  return server;
}

/** @param {string} text */
function answer(text) {
  return { content: [{ type: /** @type {const} */ ('text'), text }] };
}
