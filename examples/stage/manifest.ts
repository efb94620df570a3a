import { stringify } from 'yaml';
import type { OpenedEngine } from '../engine/engine.ts';

/** Where the manifest lies in its repository. */
export const manifestPath = 'ecosystem-manifest.yaml';

type Fields = Readonly<Record<string, unknown>>;

/** An entry in the ecosystem's shape; fields of `more` win, its `docker` block is merged. */
export function entryOf(engine: OpenedEngine, name: string, version: string, more: Fields = {}): Fields {
  const { docker, ...fields } = more as Fields & { readonly docker?: Fields };
  const image = `127.0.0.1:${engine.registry.port}/liminalcommons/${name}`;
  return {
    ...{ name, version, description: `${name.replace('mcp-server-', '')} tools`, transport: 'http' },
    docker: { image, port: 8080, path: '/mcp', ...docker },
    ...fields,
  };
}

/** The text of a manifest. */
export function manifestOf(servers: readonly Fields[], more: Fields = {}): string {
  return stringify({ version: '1.1', ...more, servers });
}
