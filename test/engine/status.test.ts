import { inject, expect, test } from 'vitest';
import { WebSocket, type RawData } from 'ws';
import { StatusClient } from '../../examples/gateway-kit/client/client.ts';
import { kitServers, startKit } from '../../examples/gateway-kit/start.ts';
import { attachEngine } from '../../examples/engine/engine.ts';
import { askEngine, callEngine } from '../../examples/engine/engine-call.ts';

interface Message {
  readonly event_type: string;
  readonly server: string | null;
  readonly record: { readonly health: string; readonly phase: string } | null;
}

test('a gateway finds five servers by their health, and hears of a death on the engine within a second', async () => {
  const engine = attachEngine(inject('engine'));
  const kit = await startKit(engine);
  const client = new StatusClient({ url: kit.url });
  const socket = new WebSocket(`${kit.url.replace('http', 'ws')}/health/stream`);
  try {
    await client.open();
    expect(
      client
        .servers()
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...kitServers].sort());
    expect(kitServers.map((name) => client.route(name).ok)).toEqual([true, true, true, true, false]);
    const heard = new Promise<number>((resolve) =>
      socket.on('message', (data: RawData) => {
        const message = JSON.parse((data as Buffer).toString()) as Message;
        if (message.server === 'kit-one' && message.record?.health !== 'healthy') resolve(performance.now());
      }),
    );
    await new Promise((resolve) => socket.once('message', resolve));
    const active = client.servers().find(({ name }) => name === 'kit-one')?.endpoints[0];
    const name = new URL(active?.container_url ?? '').hostname;
    const { text } = await askEngine(engine.docker.socket, `/containers/${name}/json`);
    const begun = performance.now();
    await callEngine(engine.docker.socket, `/containers/${(JSON.parse(text) as { Id: string }).Id}/kill`, {
      method: 'POST',
      deadlineMs: 60_000,
    });
    const took = (await heard) - begun;
    console.log(`from the death on the engine to a reader: ${took.toFixed(0)} ms`);
    expect(took).toBeLessThan(1_000);
  } finally {
    socket.terminate();
    await client.close();
    await kit.close();
  }
});
