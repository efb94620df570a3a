import { systemClock } from '../../../src/lib/clock.ts';
import { imageRefOf } from '../../../src/model/spec.ts';
import { dockerRuntime } from '../../../src/runtime/index.ts';
import { runtimeContract } from '../../contract/runtime.contract.ts';
import type { RuntimeHarness } from '../../contract/runtime.contract.ts';
import { FakeEngine } from '../../support/fake-engine.ts';
import { aSpec } from '../births.ts';

runtimeContract('Docker, over a fake wire', async (): Promise<RuntimeHarness> => {
  const engine = await FakeEngine.open();
  const as = (owner: string) =>
    dockerRuntime({ address: engine.socket, clock: systemClock, owner, publishAddress: '127.0.0.1' });
  return {
    owner: 'default',
    runtime: as('default'),
    other: as,
    spec: async (order = {}) => {
      const spec = aSpec(order);
      if (order.imageDigest === undefined) engine.registry.add(imageRefOf(spec));
      return spec;
    },
    crash: async ({ id }) => {
      const container = engine.find(id);
      if (container !== undefined) engine.end(container, 1);
    },
    close: () => engine.destroy(),
  };
});
