import { err, type Result } from '../lib/result.ts';
import { toYaml } from '../manifest/yaml.ts';
import { defineCommand } from './command.ts';
import { readDocument } from './imported/document.ts';
import { FORMS, importFrom } from './imported/imported.ts';
import { beginningOf } from './manifest-file.ts';
import { required } from './options.ts';

export const importCommand = defineCommand({
  name: 'import',
  summary: 'Turn a server.json, a Docker MCP catalog or a client configuration into a manifest, on stdout',
  about:
    'Reads what others write and prints a manifest of it. Known by their keys: packages or ' +
    'remotes (the official server.json), registry (a Docker MCP catalog), image (server.yaml ' +
    "of Docker's registry), mcpServers, servers, context_servers or mcp (a client's " +
    'configuration, of which docker run is taken). No secret is copied, and what could not be ' +
    'carried over is named on stderr.',
  exits: {
    0: 'something was made of it',
    1: 'it cannot be read, or nothing in it can be run as a container',
  },
  examples: [
    'mcp-orchestration import server.json > ecosystem-manifest.yaml',
    'mcp-orchestration import ~/.config/Claude/claude_desktop_config.json',
  ],
  arguments: { file: required('file', 'server.json, docker-catalog.yaml or claude_desktop_config.json') },
  options: {},
  async run({ file }, io) {
    const read = await documentOf(file);
    const imported = read.ok ? importFrom(read.value) : read.error;
    if (imported === null || typeof imported === 'string') {
      io.stderr.write(
        `import: ${imported ?? `${file} is none of the forms that can be imported; ${FORMS}`}\n`,
      );
      return 1;
    }
    for (const note of imported.notes) io.stderr.write(`${note}\n`);
    if (imported.entries.length > 0) io.stdout.write(toYaml({ version: '1.1', servers: imported.entries }));
    return imported.entries.length > 0 ? 0 : 1;
  },
});

/** A sentence when it cannot be read. */
async function documentOf(file: string): Promise<Result<unknown, string>> {
  try {
    const read = readDocument(await beginningOf(file), file);
    return read.ok ? read : err(`${file} ${read.error}`);
  } catch (error) {
    return err(`${file} cannot be read: ${(error as Error).message}`);
  }
}
