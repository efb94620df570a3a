import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Ports } from '../../../src/runtime/docker/ports.ts';

describe('choosing a port', () => {
  it('gives one on which somebody can listen, and never the same twice in a row', async () => {
    const ports = new Ports('127.0.0.1');
    const chosen = await Promise.all(Array.from({ length: 120 }, () => ports.choose(new Set())));
    expect(new Set(chosen.slice(-20)).size).toBe(20);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: chosen.at(-1) }, resolve));
    server.close();
  });

  it('guesses where the address is one of another machine', async () => {
    expect(await new Ports('192.0.2.1').choose(new Set())).toBeGreaterThan(0);
  });

  it('fails where there is no such address at all', async () => {
    await expect(new Ports('300.0.0.1').choose(new Set())).rejects.toMatchObject({ code: 'port_taken' });
  });

  it('gives up when every port is taken', async () => {
    const all = { has: () => true } as unknown as ReadonlySet<number>;
    await expect(new Ports('127.0.0.1').choose(all)).rejects.toMatchObject({ code: 'port_taken' });
  });
});
