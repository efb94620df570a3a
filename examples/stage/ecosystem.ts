import type { OpenedEngine } from '../engine/engine.ts';
import { buildServerImage } from '../images/build.ts';
import { entryOf } from './manifest.ts';

/** The four servers of the ecosystem's own manifest, as template servers. */
export const ecosystemServers = [
  'mcp-server-lightrag',
  'mcp-server-n8n',
  'mcp-server-coda',
  'mcp-server-github',
] as const;

/** Builds and pushes an image for each of them: about 12 s on an engine that has seen none, a second later. */
export async function buildEcosystem(
  engine: OpenedEngine,
  version: string,
  say: (line: string) => void,
): Promise<void> {
  for (const name of ecosystemServers) {
    const { reference } = await buildServerImage({ engine, name, version });
    say(`built and pushed ${reference}`);
  }
}

/** Their entries: github answers with lightrag's help, so it comes after it. */
export const ecosystemEntries = (engine: OpenedEngine, version: string): ReturnType<typeof entryOf>[] =>
  ecosystemServers.map((name) =>
    entryOf(engine, name, version, {
      config: { env: { LOG_LEVEL: 'info' } },
      ...(name === 'mcp-server-github' ? { depends_on: ['mcp-server-lightrag'] } : {}),
    }),
  );
