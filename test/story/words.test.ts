import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventText } from '../../src/cli/event-text.ts';
import { styleOf } from '../../src/cli/table.ts';
import { defaultPolicy } from '../../src/manifest/policy.ts';
import { validateManifest } from '../../src/manifest/validate.ts';
import { judge, type Incidents } from '../../src/notify/incident.ts';
import { toStatus } from '../../src/plan/describe.ts';
import { describeChanges, describePlan } from '../../src/plan/markdown.ts';
import { diffDesired } from '../../src/plan/diff.ts';
import { emptyLedger, enter, reportOf } from '../../src/plan/report.ts';
import { terminal } from '../cli/terminal.ts';
import { openStage, type Stage } from '../support/orchestrator.ts';
import { objectWords } from '../support/object-words.ts';
import { digestOf, entry, liveOf, manifest, publish } from './stories.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.close());

/** Every word that fits there is the name of a server, of a variable, of a secret. */
const names = ['constructor', 'prototype', 'tostring', 'valueof', 'hasownproperty'];
/** A manifest has no key `__proto__`. */
const variables = objectWords.filter((word, at) => word !== '__proto__' && at % 2 === 0);
const environment = variables.map((word) => `"${word}": "of ${word}"`).join(', ');
const hidden = objectWords.filter((word) => !variables.includes(word));
const secrets = hidden.map((word) => `{ name: ${word}, required: true }`).join(', ');
const config = `config: { env: { ${environment} }, secrets: [${secrets}] }`;

it('a server, a variable, a secret that is called constructor is one like any other, from manifest to report', async () => {
  publish(stage, '1.0.0', '1.1.0');
  for (const word of objectWords) stage.secrets.set(word, `value of ${word}`);
  const all = (version: string): string =>
    manifest(
      Object.fromEntries(
        names.map((name, at) => [
          name,
          entry(version, `${config}, depends_on: [${names.slice(0, at).join(', ')}]`),
        ]),
      ),
    ).replace('servers:', 'defaults: { prune: true }\nx-constructor: { toString: 1 }\nservers:');
  const content = new TextEncoder().encode(all('1.0.0'));
  const { problems } = validateManifest({ content, file: 'ecosystem-manifest.yaml' }, defaultPolicy);
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);

  await stage.start();
  await stage.commit(all('1.0.0'));
  expect(await stage.settled()).toEqual({ outcome: 'applied', failed: [] });
  const born = stage.engine.controls.instances().find(({ server }) => server === 'constructor');
  expect(Object.keys(born?.spec?.env ?? {}).sort()).toEqual([...variables].sort());
  expect(born?.spec?.secrets.map(({ name }) => name).sort()).toEqual([...hidden].sort());

  stage.engine.controls.crash(liveOf(stage, 'constructor'), 1);
  await stage.pass(60_000);
  const before = stage.published().world.desired;
  stage.engine.controls.behave(digestOf('1.1.0'), { answers: 'down' });
  await stage.commit(all('1.1.0'));
  expect((await stage.settled()).outcome).toBe('partial');
  await stage.die();
  await stage.start();
  await stage.pass(60_000);

  const { world, plan } = stage.published();
  expect(Object.keys(world.memory.servers).sort()).toEqual([...names].sort());
  expect(describePlan(plan)).toContain('constructor');
  expect(describeChanges(diffDesired(before, world.desired))).toContain('version 1.0.0 -> 1.1.0');
  const status = toStatus(world, plan, { ...around, inHand: {}, progress: {} });
  expect(status.servers.map(({ name, version, phase }) => `${name} ${version} ${phase}`)).toEqual(
    names.map((name) => `${name} 1.0.0 ready`),
  );

  const events = await stage.events();
  const io = terminal();
  expect(events.map((event) => eventText(event, styleOf(io.stdout, io.env))).join('\n')).toContain(
    'constructor',
  );
  const open = events.reduce<Incidents>((known, event) => judge(known, event).open, {});
  expect(Object.keys(open)).toEqual(['server:constructor']);
  const to = stage.clock.now();
  const { servers } = reportOf(events.reduce(enter, emptyLedger), { from: to - 86_400_000, to });
  expect(servers.map(({ server, incidents }) => `${server} ${incidents}`)).toEqual(
    [...names].sort().map((name) => `${name} ${name === 'constructor' ? 1 : 0}`),
  );
});

const around = {
  source: {
    ...{ url: 'u', branch: 'main', attempted_revision: 'r', applied_revision: 'r' },
    ...{ state: 'synced' as const, last_successful_sync_at: null, error: null },
  },
  advertise: null,
};
