import type { TestProject } from 'vitest/node';
import { openEngine } from '../../examples/engine/engine.ts';
import type { EngineRecord } from '../../examples/engine/record.ts';
import { templateImage } from '../../examples/images/build.ts';
import { theServerImage } from './test-server-image.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Use it as `attachEngine(inject('engine'))`. */
    readonly engine: EngineRecord;
  }
}

/** One engine for the whole run, with the images that all tests start from; vitest calls what it gives at the end. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const engine = await openEngine({ say: (line) => console.log(`engine: ${line}`) });
  try {
    await templateImage(engine);
    await theServerImage(engine, '1.0.0');
  } catch (error) {
    await engine.stop();
    throw error;
  }
  project.provide('engine', engine.record);
  return () => engine.stop();
}
