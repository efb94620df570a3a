import { exampleRecord, exampleSource } from '../../src/status/examples.ts';
import type { ServerRecord, StatusView } from '../../src/model/status.ts';

export const record = (name: string, more: Partial<ServerRecord> = {}): ServerRecord => ({
  ...exampleRecord,
  id: name,
  name,
  namespace: name.replace('mcp-server-', ''),
  index: 0,
  ...more,
});

export const view = (servers: readonly ServerRecord[], more: Partial<StatusView> = {}): StatusView => ({
  schema_version: '1.0',
  view: 'clear',
  source: exampleSource,
  servers,
  ...more,
});

export const github = record('mcp-server-github');
export const coda = record('mcp-server-coda');
