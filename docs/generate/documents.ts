import { commands } from '../../src/cli/commands.ts';
import { manifestReference } from '../../src/manifest/reference.ts';
import { manifestJsonSchema } from '../../src/manifest/schema/manifest.ts';
import { statusReference } from '../../src/status/index.ts';
import { clientTypes } from './client-types.ts';
import { commandReference } from './command-line.ts';
import { eventReference } from './events.ts';

/** Every generated document, by its name in docs/. Nothing is read but the code. */
export function generated(): Readonly<Record<string, string>> {
  return {
    'command-line.md': commandReference(commands),
    'events.md': eventReference(),
    'manifest.md': manifestReference(),
    'manifest.schema.json': `${JSON.stringify(manifestJsonSchema(), null, 2)}\n`,
    '../examples/gateway-kit/client/types.ts': clientTypes(),
    'status-api.md': statusReference(),
  };
}

/** Names of the documents that differ from what the code says now; a missing one differs. */
export function staleDocuments(read: (name: string) => string): readonly string[] {
  return Object.entries(generated())
    .filter(([name, text]) => textOrNothing(name, read) !== text)
    .map(([name]) => name);
}

function textOrNothing(name: string, read: (name: string) => string): string | null {
  try {
    return read(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
