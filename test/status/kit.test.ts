import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { checkGateway, openReference, type Gateway } from '../../examples/gateway-kit/check.ts';

it('the reference client keeps a gateway’s side of the contract', async () => {
  const claims = await checkGateway(openReference);
  expect(claims.filter(({ met }) => !met)).toEqual([]);
  expect(claims).toHaveLength(10);
}, 60_000);

it('a gateway that looks once and never again is found out', async () => {
  const once = async (url: string): Promise<Gateway> => {
    const first = await openReference(url);
    const routes = new Map(first.servers().map((name) => [name, first.route(name, null)]));
    await first.close();
    return {
      servers: () => [...routes.keys()],
      route: (name) => routes.get(name) ?? null,
      close: () => Promise.resolve(),
    };
  };
  const missed = (await checkGateway(once)).filter(({ met }) => !met).map(({ says }) => says);
  expect(missed).toEqual([
    'sends new requests to the new instance within 5 s',
    'lets it go at the deadline',
    'takes up again when it is back',
  ]);
}, 60_000);

it('the reference client is less than 200 lines', () => {
  const text = readFileSync(new URL('../../examples/gateway-kit/client/client.ts', import.meta.url), 'utf8');
  expect(text.split('\n').length).toBeLessThan(200);
});
