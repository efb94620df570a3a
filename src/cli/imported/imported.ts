import { fromCatalog } from './catalog.ts';
import { fromClient } from './client.ts';
import { joined, type Imported } from './entry.ts';
import { fieldsOf, isFields, type Fields } from './fields.ts';
import { inputsOf } from './inputs.ts';
import { namesFor } from './names.ts';
import { fromServerJson } from './server-json.ts';

/** An official `server.json`, a Docker MCP catalog or `server.yaml`, or a client's configuration; null: none of them. */
export function importFrom(document: unknown): Imported | null {
  const given = fieldsOf(document);
  const official = isFields(given['server']) ? given['server'] : given;
  if (Array.isArray(official['packages']) || Array.isArray(official['remotes']))
    return fromServerJson(official);
  if (isFields(given['registry'])) return each(given['registry'], fromCatalog);
  const servers = clientServers(given);
  if (servers !== null) return joined([each(servers, fromClient), inputsOf(given, servers)]);
  return typeof given['image'] === 'string' ? each({ [String(given['name'])]: given }, fromCatalog) : null;
}

/** How each form is recognised, for those whose file was not. */
export const FORMS = `it is known by its keys: \`packages\` or \`remotes\` (server.json), \`registry\` (Docker MCP catalog),
\`image\` (server.yaml of Docker's registry), \`mcpServers\`, \`servers\`, \`context_servers\` or \`mcp\` (a client's configuration)`;

/** Claude, Cursor and gh-aw; VS Code, alone and in its settings; Zed; opencode. */
function clientServers(given: Fields): Fields | null {
  const { mcpServers, servers, context_servers: zed, mcp } = given;
  const own = [mcpServers, servers, zed, fieldsOf(mcp)['servers'], mcp];
  return own.find(isFields) ?? null;
}

function each(servers: Fields, make: (name: string, given: Fields, key: string) => Imported): Imported {
  const names = namesFor(Object.keys(servers));
  return joined(
    Object.entries(servers).map(([key, value]) => make(names.get(key) ?? key, fieldsOf(value), key)),
  );
}
