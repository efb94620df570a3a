import type { DesiredServer } from '../../src/model/desired.ts';
import { defaultPolicy } from '../../src/manifest/policy.ts';
import type { Policy } from '../../src/manifest/policy.ts';
import { readManifest } from '../../src/manifest/read.ts';
import { resolveManifest } from '../../src/manifest/resolve.ts';

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export const read = (text: string) => readManifest({ content: bytes(text), file: 'm.yaml' });

/** A sound manifest of version 1.1 whose servers are written as JSON, which is YAML too. */
export const manifestOf = (servers: readonly object[], top: object = {}): string =>
  JSON.stringify({ version: '1.1', ...top, servers });

/** A sound entry; a test says what differs. */
export const entry = (differs: object = {}): object => ({
  name: 'mcp-server-github',
  version: '1.0.0',
  docker: { image: 'liminalcommons/mcp-server-github', port: 8080 },
  ...differs,
});

/** What is told about a text, each as `severity path: message`. */
export function told(text: string): string[] {
  const result = read(text);
  const problems = result.ok ? result.value.warnings : result.error.problems;
  return problems.map(({ severity, path, message }) => `${severity} ${path}: ${message}`);
}

/** What is told about one entry. */
export const toldOf = (differs: object): string[] => told(manifestOf([entry(differs)]));

export function resolved(text: string, policy: Policy = defaultPolicy): readonly DesiredServer[] {
  const result = read(text);
  if (!result.ok) throw new Error(JSON.stringify(result.error.problems));
  const context = { revision: 'abc', source: 'somewhere', traceId: 'trace', policy };
  return resolveManifest(result.value.manifest, context).servers;
}

export function only(differs: object, policy?: Policy): DesiredServer {
  const [server] = resolved(manifestOf([entry(differs)]), policy);
  if (server === undefined) throw new Error('no server');
  return server;
}
