import { afterEach, beforeEach, expect, test } from 'vitest';
import { isReady } from '../../examples/stage/status.ts';
import { commands } from '../../src/cli/commands.ts';
import { runProgram } from '../../src/cli/program.ts';
import { terminal } from '../cli/terminal.ts';
import { craftImage } from '../support/crafted-image.ts';
import { oddFront, tagChart, tagNested } from '../support/odd-registry.ts';
import { openTestStage, type TestStage } from '../support/stage.ts';

let stage: TestStage;
let front: Awaited<ReturnType<typeof oddFront>>;
beforeEach(async () => {
  stage = await openTestStage();
  front = await oddFront(stage.engine.registry.port);
});
afterEach(async () => {
  await stage.close();
  await front.close();
});

test('what the engine can pull is found, whatever its registry and its tags are like, and doctor says how', async () => {
  const { engine, name } = stage;
  for (const server of ['tags', 'tls'])
    for (const version of ['1.0.0', '1.1.0']) await craftImage(engine, name(server), version);
  await tagNested(engine, name('tags'), '1.1.0');
  await tagChart(engine, name('tags'), '1.2.0');
  const images = {
    tags: `127.0.0.1:${engine.registry.port}/liminalcommons/${name('tags')}`,
    tls: `${front.host}/hub/liminalcommons/${name('tls')}`,
  };
  const follows = { version_strategy: 'semantic', auto_update: true };
  const trust = ['--trust', `${front.host}/hub/liminalcommons/*`];
  const watching = await stage.watch({ options: [...trust, '--update-interval', '2'] });
  await stage.merge(
    (['tags', 'tls'] as const).map((server) =>
      stage.entry(server, { ...follows, docker: { image: images[server] } }),
    ),
  );
  const [tags] = await Promise.all(
    (['tags', 'tls'] as const).map((server) =>
      watching.status.server(name(server), (one) => isReady(one) && one.version === '1.1.0', 90_000),
    ),
  );
  expect(tags?.update.passed_over).toEqual([
    {
      image: `${images.tags}:1.2.0`,
      reason: 'it is no image but application/vnd.cncf.helm.config.v1+json',
    },
  ]);

  const io = terminal();
  const line = ['doctor', '--manifest', stage.repository.url, '--docker', engine.dockerHost, ...trust];
  const places = ['--state', `${engine.directory}/no-state`, '--listen', '127.0.0.1:0', '--json'];
  const code = await runProgram(commands, [...line, ...places], { ...io, version: '1.2.3' });
  const { findings } = JSON.parse(io.stdout.text) as { findings: { check: string; says: string }[] };
  const said = (check: string): string[] =>
    findings.filter((each) => each.check === check).map(({ says }) => says);
  expect(said('engine')[0]).toContain('API 1.');
  expect(said('registry')).toEqual([
    `127.0.0.1:${engine.registry.port}: http without encryption (this machine); no proxy; asks for no credentials`,
    `${front.host}: https, certificate not checked (this machine); no proxy; asks for no credentials`,
  ]);
  expect([code, io.stderr.text], io.stdout.text).toEqual([0, '']);
});
