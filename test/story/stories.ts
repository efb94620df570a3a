import type { Stage, StageOptions } from '../support/orchestrator.ts';

/** One whole run, told by what people and accidents do. The journal is compared as text, then replayed with deaths. */
export interface Story {
  readonly name: string;
  readonly says: string;
  readonly options?: StageOptions;
  /** Must leave the world at rest. */
  tell(stage: Stage): Promise<void>;
}

export const QUICK_TIMES =
  'min_healthy_seconds: 2, healthy_deadline_seconds: 30, soak_seconds: 20, drain_min_seconds: 5, drain_timeout_seconds: 10';
export const FOLLOWS = 'version_strategy: semantic, auto_update: true';
const HEALTH = `health_check: { interval_seconds: 5, timeout_seconds: 2, start_period_seconds: 5, suspect_interval_seconds: 1 }`;
const RECOVERY = `recovery: { max_attempts: 3, backoff_seconds: [1, 2, 4], slow_retry_seconds: 60 }`;

/** A manifest of servers, each `name: more YAML on one line`. */
export function manifest(servers: Readonly<Record<string, string>>): string {
  const entries = Object.entries(servers).map(
    ([name, more]) =>
      `  - { name: ${name}, ${more}, ${more.includes('update: {') ? '' : `update: { ${QUICK_TIMES} }, `}${HEALTH}, ${RECOVERY} }`,
  );
  return ['version: "1.1"', entries.length === 0 ? 'servers: []' : 'servers:', ...entries, ''].join('\n');
}

/** The line of one server in `manifest`. */
export function entry(version: string, more = '', docker = ''): string {
  const image = `docker: { image: liminalcommons/server, port: 8080${docker === '' ? '' : `, ${docker}`} }`;
  return [`version: "${version}"`, image, more].filter((part) => part !== '').join(', ');
}

export const imageOf = (version: string): string => `docker.io/liminalcommons/server:${version}`;
export const digestOf = (version: string): string => `sha256:${version.replaceAll('.', '').padEnd(64, '0')}`;

export function publish(stage: Stage, ...versions: readonly string[]): void {
  for (const version of versions) stage.engine.controls.publish(imageOf(version), digestOf(version));
}

export const liveOf = (stage: Stage, server: string): string => {
  const found = stage.engine.controls
    .instances()
    .find((instance) => instance.server === server && instance.joined);
  if (found === undefined) throw new Error(`nothing of ${server} is live`);
  return found.id;
};

export const stories: readonly Story[] = [
  {
    name: 'a merge becomes running servers',
    says: 'two servers, the second waits for the first; both soak and are stable',
    async tell(stage) {
      publish(stage, '1.0.0');
      await stage.commit(manifest({ a: entry('1.0.0'), b: entry('1.0.0', 'depends_on: [a]') }), {
        traceId: 'w1',
      });
      await stage.settled();
      await stage.pass(60_000);
    },
  },
  {
    name: 'a new version takes over without a gap',
    says: 'the old one is drained and removed only after the new one answers',
    async tell(stage) {
      publish(stage, '1.0.0', '1.1.0');
      await stage.commit(manifest({ a: entry('1.0.0') }));
      await stage.settled();
      await stage.pass(60_000);
      await stage.commit(manifest({ a: entry('1.1.0') }), { traceId: 'upgrade' });
      await stage.settled();
      await stage.pass(60_000);
    },
  },
  {
    name: 'a version that never becomes healthy is set aside',
    says: 'the old one answers all the time',
    async tell(stage) {
      publish(stage, '1.0.0', '1.1.0');
      stage.engine.controls.behave(digestOf('1.1.0'), { answers: 'down' });
      await stage.commit(manifest({ a: entry('1.0.0') }));
      await stage.settled();
      await stage.pass(60_000);
      await stage.commit(manifest({ a: entry('1.1.0') }));
      await stage.settled();
      await stage.pass(120_000);
    },
  },
  {
    name: 'a version that falls ill in its soak is rolled back',
    says: 'from the one still draining or kept as a spare',
    async tell(stage) {
      publish(stage, '1.0.0', '1.1.0');
      await stage.commit(manifest({ a: entry('1.0.0') }));
      await stage.settled();
      await stage.pass(60_000);
      await stage.commit(manifest({ a: entry('1.1.0') }));
      await stage.settled();
      await stage.pass(3_000);
      stage.engine.controls.behave(digestOf('1.1.0'), { answers: 'down' });
      await stage.pass(120_000);
    },
  },
  {
    name: 'stop-first keeps the old one until the new one is proven',
    says: 'a fixed host port allows one copy only',
    async tell(stage) {
      publish(stage, '1.0.0', '1.1.0');
      stage.engine.controls.behave(digestOf('1.1.0'), { exitsAfterMs: 500 });
      await stage.commit(manifest({ a: entry('1.0.0', '', 'host_port: 9000') }));
      await stage.settled();
      await stage.pass(60_000);
      await stage.commit(manifest({ a: entry('1.1.0', '', 'host_port: 9000') }));
      await stage.settled();
      await stage.pass(180_000);
    },
  },
  {
    name: 'a crash is recovered',
    says: 'restarted, and attempts start anew after a soak of health',
    async tell(stage) {
      publish(stage, '1.0.0');
      await stage.commit(manifest({ a: entry('1.0.0') }), { traceId: 'w3' });
      await stage.settled();
      await stage.pass(60_000);
      stage.engine.controls.crash(liveOf(stage, 'a'), 1);
      await stage.pass(120_000);
    },
  },
  {
    name: 'a newer version in the registry is found and taken',
    says: 'the highest of the range at first, then each as it comes; what no range allows is never touched',
    async tell(stage) {
      publish(stage, '1.0.0', '1.1.0', '2.0.0', '1.2.0-rc.1');
      await stage.commit(manifest({ a: entry('1.0.0', FOLLOWS) }), { traceId: 'follow' });
      await stage.settled();
      await stage.pass(60_000);
      publish(stage, '1.1.1');
      await stage.pass(120_000);
    },
  },
  {
    name: 'a newer version that is bad is not tried twice',
    says: 'a fix after it is taken, even a lower one than the bad one',
    async tell(stage) {
      publish(stage, '1.0.0');
      stage.engine.controls.behave(digestOf('1.2.0'), { exitsAfterMs: 500 });
      await stage.commit(manifest({ a: entry('1.0.0', FOLLOWS) }));
      await stage.settled();
      await stage.pass(60_000);
      publish(stage, '1.2.0');
      await stage.pass(180_000);
      publish(stage, '1.1.0');
      await stage.pass(180_000);
    },
  },
  {
    name: 'an update that nobody allowed is only told',
    says: 'once, and taken when the entry allows it',
    async tell(stage) {
      publish(stage, '1.0.0');
      await stage.commit(manifest({ a: entry('1.0.0', 'version_strategy: semantic') }));
      await stage.settled();
      publish(stage, '1.1.0');
      await stage.pass(200_000);
      await stage.commit(manifest({ a: entry('1.0.0', FOLLOWS) }));
      await stage.settled();
      await stage.pass(120_000);
    },
  },
  {
    name: 'a version has to be old enough',
    says: 'its age counts from when it was first seen, over our own restarts',
    async tell(stage) {
      publish(stage, '1.0.0');
      const young = `${FOLLOWS}, update: { ${QUICK_TIMES}, min_age_seconds: 300 }`;
      await stage.commit(manifest({ a: entry('1.0.0', young) }));
      await stage.settled();
      await stage.pass(60_000);
      publish(stage, '1.1.0');
      await stage.pass(500_000);
    },
  },
  {
    name: 'a tag that moves is followed',
    says: 'what it stood for in between was bad and is set aside; the next is taken',
    async tell(stage) {
      const tag = (version: string): void =>
        stage.engine.controls.publish('docker.io/liminalcommons/server:latest', digestOf(version));
      tag('1.0.0');
      const latest =
        'docker: { image: liminalcommons/server, port: 8080 }, version_strategy: latest, auto_update: true';
      await stage.commit(manifest({ a: latest }));
      await stage.settled();
      await stage.pass(60_000);
      stage.engine.controls.behave(digestOf('1.1.0'), { answers: 'down' });
      tag('1.1.0');
      await stage.pass(180_000);
      tag('1.2.0');
      await stage.pass(180_000);
    },
  },
  {
    name: 'a commit that goes back is obeyed',
    says: 'what it leaves is barred; only something newer is followed again',
    async tell(stage) {
      publish(stage, '1.0.0', '1.1.0', '1.2.0');
      await stage.commit(manifest({ a: entry('1.1.0', FOLLOWS) }));
      await stage.settled();
      await stage.pass(60_000);
      await stage.commit(manifest({ a: entry('1.0.0', FOLLOWS) }), { traceId: 'revert' });
      await stage.settled();
      await stage.pass(180_000);
      publish(stage, '1.3.0');
      await stage.pass(180_000);
    },
  },
  {
    name: 'a sick server is restarted, restarted, recreated, and then waited for',
    says: 'our own death at any stage neither loses nor repeats an attempt for ever',
    async tell(stage) {
      publish(stage, '1.0.0');
      await stage.commit(manifest({ a: entry('1.0.0') }));
      await stage.settled();
      await stage.pass(30_000);
      stage.engine.controls.behave(digestOf('1.0.0'), { answers: 'down' });
      await stage.pass(210_000);
      stage.engine.controls.behave(digestOf('1.0.0'), { answers: 'ok' });
      await stage.pass(120_000);
    },
  },
  {
    name: 'a removal drains before it removes',
    says: 'and what depends on it goes first',
    async tell(stage) {
      publish(stage, '1.0.0');
      const both = {
        a: entry('1.0.0'),
        b: entry('1.0.0', 'depends_on: [a]'),
        c: entry('1.0.0'),
        d: entry('1.0.0'),
      };
      await stage.commit(manifest(both));
      await stage.settled();
      await stage.pass(60_000);
      await stage.commit(manifest({ c: both.c, d: both.d }));
      await stage.pass(60_000);
      await stage.commit(`${manifest({ c: both.c, d: both.d })}# released\n`, { allowRemoval: ['a', 'b'] });
      await stage.settled();
      await stage.pass(60_000);
    },
  },
  {
    name: 'drift by hand is put right',
    says: 'a container removed by a person comes back',
    async tell(stage) {
      publish(stage, '1.0.0');
      await stage.commit(manifest({ a: entry('1.0.0') }));
      await stage.settled();
      await stage.pass(60_000);
      stage.engine.controls.removeByHand(liveOf(stage, 'a'));
      await stage.pass(60_000);
      stage.engine.controls.setDrift(liveOf(stage, 'a'), ['memory limit']);
      await stage.pass(60_000);
    },
  },
  {
    name: 'an image that cannot be pulled changes nothing',
    says: 'the old one runs on, and the new one comes when the registry is back',
    async tell(stage) {
      publish(stage, '1.0.0');
      await stage.commit(manifest({ a: entry('1.0.0') }));
      await stage.settled();
      await stage.pass(60_000);
      await stage.commit(manifest({ a: entry('1.1.0') }));
      await stage.pass(30_000);
      publish(stage, '1.1.0');
      await stage.settled();
      await stage.pass(120_000);
    },
  },
  {
    name: 'the engine restarts under us',
    says: 'everything is started again at once, and nobody counts it as a failure',
    async tell(stage) {
      publish(stage, '1.0.0');
      await stage.commit(manifest({ a: entry('1.0.0'), b: entry('1.0.0', 'depends_on: [a]') }));
      await stage.settled();
      await stage.pass(60_000);
      stage.engine.controls.restartEngine();
      await stage.pass(120_000);
    },
  },
  {
    name: 'git is told of the version that was taken',
    says: 'when it lasted its soak; the commit restarts nothing, and there is only one',
    options: { writeBack: 'direct' },
    async tell(stage) {
      publish(stage, '1.0.0', '1.1.0');
      await stage.commit(manifest({ a: entry('1.0.0', FOLLOWS) }), { traceId: 'follow' });
      await stage.settled();
      await stage.pass(100_000);
    },
  },
  {
    name: 'git is told of a version that nobody allowed',
    says: 'and what git says is deployed',
    options: { writeBack: 'direct' },
    async tell(stage) {
      publish(stage, '1.0.0', '1.1.0');
      await stage.commit(manifest({ a: entry('1.0.0', 'version_strategy: semantic') }), { traceId: 'told' });
      await stage.settled();
      await stage.pass(150_000);
    },
  },
];
