import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEngine, type OpenedEngine } from '../../examples/engine/engine.ts';
import { buildServerImage } from '../../examples/images/build.ts';
import { removeAllOf } from '../../examples/stage/containers.ts';
import { buildEcosystem, ecosystemEntries } from '../../examples/stage/ecosystem.ts';
import { manifestOf } from '../../examples/stage/manifest.ts';
import { furnish, openPlace, runnableIn, startsOne, type Place, type Runnable } from '../support/pages.ts';
import { textOf } from '../support/repository.ts';

/** Of its own: the servers of the pages have names that others use on the engine of the whole run. */
let engine: OpenedEngine;
/** Of its own: a page publishes a version of it. */
const example = `mcp-server-example-${process.pid}`;
let registry: string;

beforeAll(async () => {
  engine = await openEngine({ alwaysPrivate: true });
  registry = `127.0.0.1:${engine.registry.port}/liminalcommons/`;
  await buildEcosystem(engine, '1.0.0', () => undefined);
  await buildServerImage({ engine, name: example, version: '1.0.0' });
});
afterAll(() => engine.stop());

test.each([
  'docs/how-to-setup-mcp-ecosystem.md',
  'docs/how-to-deploy-new-mcp-server.md',
  'docs/how-to-enable-automatic-updates.md',
  'docs/operating.md',
])('what %s says works on a real engine', async (page) => {
  const blocks = runnableIn(textOf(page)).filter(({ needsEngine }) => needsEngine || page.includes('how-to'));
  // Of its own: what one page leaves behind is not another's business.
  const owner = `${basename(page, '.md')}-${process.pid}`;
  const place = await openPlace({
    DOCKER_HOST: engine.dockerHost,
    MCP_ORCHESTRATION_OWNER: owner,
    MCP_ORCHESTRATION_TRUST: `${registry}*`,
  });
  try {
    await furnish(place, blocks);
    if (startsOne(blocks)) await writeManifest(place);
    const ours = blocks.map((block) => withOurs(block, owner));
    const printed = await place.follow(ours);
    expect(printed).toEqual(ours.map(({ prints }, position) => prints ?? printed[position]));
  } finally {
    await place.leave();
    await removeAllOf(engine, owner);
  }
});

/** The example's servers, from our own registry. */
const writeManifest = ({ folder }: Place): Promise<void> =>
  writeFile(
    join(folder, 'examples/ecosystem-manifest/ecosystem-manifest.yaml'),
    manifestOf(ecosystemEntries(engine, '1.0.0')),
  );

/** Nothing but our own containers is seen, and images come from our own registry. */
const withOurs = (block: Runnable, owner: string): Runnable => ({
  ...block,
  code: block.code
    .replaceAll('owner=default', `owner=${owner}`)
    .replaceAll('liminalcommons/mcp-server-example', `${registry}${example}`),
});
