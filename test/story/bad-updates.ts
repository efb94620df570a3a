import { Failure } from '../../src/model/failure.ts';
import type { Stage } from '../support/orchestrator.ts';
import { digestOf, entry, FOLLOWS, manifest, publish, QUICK_TIMES, type Story } from './stories.ts';

/** A server `a` of 1.0.0 that is proven. */
async function proven(stage: Stage, more = ''): Promise<void> {
  publish(stage, '1.0.0', '1.1.0');
  await stage.commit(manifest({ a: entry('1.0.0', more) }));
  await stage.settled();
  await stage.pass(60_000);
}

/** What becomes of updates where the version, the world or a person comes in between. */
export const badUpdates: readonly Story[] = [
  {
    name: 'a version that reports another version is set aside',
    says: 'it answers well, but it is not what was asked for',
    async tell(stage) {
      stage.engine.controls.behave(digestOf('1.1.0'), { version: '1.0.9' });
      await proven(stage);
      await stage.commit(manifest({ a: entry('1.1.0') }));
      await stage.settled();
      await stage.pass(120_000);
    },
  },
  {
    name: 'a version that never listens is set aside',
    says: 'when its deadline is over, and the old one answers all the time',
    async tell(stage) {
      stage.engine.controls.behave(digestOf('1.1.0'), { answers: 'refused' });
      await proven(stage);
      await stage.commit(manifest({ a: entry('1.1.0') }));
      await stage.settled();
      await stage.pass(120_000);
    },
  },
  {
    name: 'a version that falls ill late in its soak is rolled back to the spare',
    says: 'the old one has drained and was stopped, but is kept until the new one is proven',
    async tell(stage) {
      await proven(stage);
      await stage.commit(manifest({ a: entry('1.1.0') }));
      await stage.settled();
      await stage.pass(13_000);
      stage.engine.controls.behave(digestOf('1.1.0'), { answers: 'down' });
      await stage.pass(120_000);
    },
  },
  {
    name: 'a pull that fails is tried again',
    says: 'the network is to blame and not the version: nothing is set aside, nothing that runs is touched',
    async tell(stage) {
      await proven(stage);
      for (const said of ['connection reset', 'unexpected end'])
        stage.engine.controls.failNext('pull', new Failure('image_pull_failed', said));
      await stage.commit(manifest({ a: entry('1.1.0') }));
      await stage.settled();
      await stage.pass(120_000);
    },
  },
  {
    name: 'a registry that is busy is left alone for as long as it asks',
    says: 'Retry-After outweighs our own doubling',
    async tell(stage) {
      await proven(stage);
      const busy = new Failure('registry_busy', 'too many requests', { retryAfterMs: 45_000 });
      stage.engine.controls.failNext('pull', busy);
      await stage.commit(manifest({ a: entry('1.1.0') }));
      await stage.pass(240_000);
    },
  },
  {
    name: 'a newer commit overtakes a rollout that fails',
    says: 'at once: nobody waits for the deadline of the one that is given up, and it is not blamed',
    async tell(stage) {
      stage.engine.controls.behave(digestOf('1.1.0'), { answers: 'silent' });
      publish(stage, '1.2.0');
      await proven(stage);
      await stage.commit(manifest({ a: entry('1.1.0') }), { traceId: 'bad' });
      await stage.pass(10_000);
      await stage.commit(manifest({ a: entry('1.2.0') }), { traceId: 'good' });
      await stage.settled();
      await stage.pass(120_000);
    },
  },
  {
    name: 'a commit is carried out although the newest version is bad',
    says: 'the one before stands in, and then the best of the entry as merged takes its place',
    async tell(stage) {
      publish(stage, '1.0.0');
      await stage.commit(manifest({ a: entry('1.0.0', FOLLOWS) }));
      await stage.settled();
      await stage.pass(30_000);
      publish(stage, '1.0.1', '1.1.0');
      stage.engine.controls.behave(digestOf('1.1.0'), { answersAfterMs: 600_000 });
      await stage.commit(manifest({ a: entry('1.0.0', `${FOLLOWS}, config: { env: { LOG: debug } }`) }), {
        traceId: 'merged',
      });
      await stage.pass(130_000);
      await stage.settled();
    },
  },
  {
    name: 'without rollback a bad version is left where it is',
    says: 'it is recovered in place: nothing goes back, nothing is set aside',
    async tell(stage) {
      // The drain begins anew when we die in it, and is still over long before the soak.
      const left = `rollback_on_failure: false, update: { ${QUICK_TIMES.replace('soak_seconds: 20', 'soak_seconds: 60')} }`;
      await proven(stage, left);
      await stage.pass(30_000);
      await stage.commit(manifest({ a: entry('1.1.0', left) }));
      await stage.settled();
      await stage.pass(40_000);
      stage.engine.controls.behave(digestOf('1.1.0'), { answers: 'down' });
      await stage.pass(60_000);
      stage.engine.controls.behave(digestOf('1.1.0'), { answers: 'ok' });
      await stage.pass(180_000);
    },
  },
  {
    name: 'a changed restart token is a rollout of the same version',
    says: 'a new container beside the old one, by the same gates, and once',
    async tell(stage) {
      await proven(stage, 'restart_token: "1"');
      await stage.commit(manifest({ a: entry('1.0.0', 'restart_token: "2"') }), { traceId: 'again' });
      await stage.settled();
      await stage.pass(120_000);
    },
  },
  {
    name: 'an update waits for what it depends on',
    says: 'both change in one commit while the first is down: the second begins when the first answers again',
    async tell(stage) {
      publish(stage, '1.0.0', '1.1.0');
      const both = (version: string): string =>
        manifest({ a: entry(version), b: entry(version, 'depends_on: [a]') });
      await stage.commit(both('1.0.0'));
      await stage.settled();
      await stage.pass(60_000);
      stage.engine.controls.behave(digestOf('1.1.0'), { answersAfterMs: 10_000 });
      const [a] = stage.engine.controls.instances().filter(({ server }) => server === 'a');
      if (a !== undefined) stage.engine.controls.behave(a.id, { answers: 'down' });
      await stage.pass(15_000);
      await stage.commit(both('1.1.0'), { traceId: 'both' });
      await stage.settled();
      await stage.pass(120_000);
    },
  },
  {
    name: 'four servers are updated at once',
    says: 'none waits for another, and the image they share is pulled once',
    async tell(stage) {
      publish(stage, '1.0.0');
      const all = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, entry('1.0.0', FOLLOWS)]));
      await stage.commit(manifest(all), { traceId: 'four' });
      await stage.settled();
      await stage.pass(60_000);
      publish(stage, '1.1.0');
      await stage.pass(150_000);
    },
  },
];
