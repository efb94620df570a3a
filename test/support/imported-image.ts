import { request } from 'node:http';
import type { Readable } from 'node:stream';
import { askEngine } from '../../examples/engine/engine-call.ts';
import type { OpenedEngine } from '../../examples/engine/engine.ts';
import { readLines } from '../../examples/images/lines.ts';

/**
 * The test server as `docker import` makes an image, as Nix and Bazel do: its files and nothing but an entrypoint, so no
 * environment at all. It says that it is version 0.0.0.
 * Nobody publishes it; its repository, tagged 0.0.0 on the engine.
 */
export async function importedImage(engine: OpenedEngine, name: string): Promise<string> {
  const { socket } = engine.docker;
  const repository = `127.0.0.1:${engine.registry.port}/liminalcommons/${name}`;
  const body = JSON.stringify({ Image: `127.0.0.1:${engine.registry.port}/liminalcommons/the-server:1.0.0` });
  const created = await askEngine(socket, '/containers/create', { method: 'POST', body });
  const { Id: id } = JSON.parse(created.text) as { readonly Id: string };
  try {
    const entrypoint = 'ENTRYPOINT ["/usr/local/bin/node", "/app/server.js"]';
    const query = new URLSearchParams({ fromSrc: '-', repo: repository, tag: '0.0.0', changes: entrypoint });
    const imported = await askEngine(socket, `/images/create?${query.toString()}`, {
      method: 'POST',
      body: await filesOf(socket, id),
      deadlineMs: 120_000,
    });
    readLines(imported.text);
  } finally {
    await askEngine(socket, `/containers/${id}?force=1&v=1`, { method: 'DELETE' });
  }
  return repository;
}

function filesOf(socketPath: string, id: string): Promise<Readable> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: `/containers/${id}/export` });
    asked.on('response', resolve).on('error', reject).end();
  });
}
