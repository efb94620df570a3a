import { fileURLToPath } from 'node:url';
import type { OpenedEngine } from '../../examples/engine/engine.ts';
import { deriveImage, plainImage, type BuiltImage, type ImageOrder } from '../../examples/images/build.ts';

/** What the test server can be told to do; server.js describes each. */
export type TestServerBehaviour =
  | 'ok'
  | 'exit-at-once'
  | 'exit-zero'
  | 'exit-after-5s'
  | 'never-listen'
  | 'answer-503'
  | 'bare'
  | 'stale'
  | 'wrong-version'
  | 'unhealthy'
  | 'unhealthy-after-20s'
  | 'ignore-sigterm'
  | 'hang'
  | 'degraded'
  | 'flapping';

interface TestImageOrder extends ImageOrder {
  readonly behaviour?: TestServerBehaviour;
  /** Seconds for the behaviours that come after a while. */
  readonly afterSeconds?: number;
}

/** Builds and pushes a version of the test server: about 0.2 s. */
export async function buildTestServerImage(order: TestImageOrder): Promise<BuiltImage> {
  const env = {
    ...order.env,
    BEHAVIOUR: order.behaviour ?? 'ok',
    ...(order.afterSeconds === undefined ? {} : { AFTER_SECONDS: String(order.afterSeconds) }),
  };
  return deriveImage({ ...order, env }, await testServerImage(order.engine));
}

/** The image that all versions are made from, built when it is not there. */
export function testServerImage(engine: OpenedEngine): Promise<string> {
  return plainImage(engine, 'test-server', fileURLToPath(new URL('test-server', import.meta.url)));
}

/** The image that all servers of a stage share, in a version. No version may be pushed by two at once: the registry mixes them up. */
export const theServerImage = (
  engine: OpenedEngine,
  version: string,
  more: Pick<TestImageOrder, 'behaviour' | 'afterSeconds'> = {},
): Promise<BuiltImage> => buildTestServerImage({ engine, name: 'the-server', version, ...more });
