import { expect, test } from 'vitest';
import type { LoggedEvent } from '../../examples/stage/events.ts';
import { hang } from '../../examples/stage/faults.ts';
import { isReady } from '../../examples/stage/status.ts';
import { allReady, eventsOf, isOf, onStage, untilEvent } from '../support/stage.ts';

/** Well until somebody ends it, and never again: it runs, and does not listen. */
const wellOnce = `
const { existsSync, writeFileSync } = require('node:fs');
if (existsSync('/data/ended')) setInterval(() => undefined, 60_000);
else require('node:http').createServer(({ url }, response) => {
  if (url !== '/end') return response.end();
  writeFileSync('/data/ended', '');
  process.exit(1);
}).listen(8080);`;

test.concurrent(
  'killed at every stage of a recovery that does not help, it is one trouble, no attempt is lost and none is made twice',
  onStage(async (stage) => {
    const a = stage.name('a');
    let watching = await stage.watch();
    // Once it has answered it is well only until its first end.
    await allReady(
      watching,
      await stage.merge([
        stage.entry('a', {
          recovery: { backoff_seconds: [0], slow_retry_seconds: 10 },
          update: { min_healthy_seconds: 1, healthy_deadline_seconds: 3, soak_seconds: 1 },
          health_check: { start_period_seconds: 0 },
          docker: {
            user: '0',
            command: ['node', '-e', wellOnce],
            volumes: [{ source: 'data', target: '/data' }],
          },
        }),
      ]),
      [a],
    );
    await untilEvent(watching, isOf(a, 'update_completed'));
    const { url } = await watching.status.server(a, isReady);
    await fetch(`${url ?? ''}/end`).catch(() => undefined);
    const attempt = (number: number) => (event: LoggedEvent) =>
      isOf(a, 'recovery_started')(event) && event['attempt'] === number;
    const stages = [
      isOf(a, 'server_down'),
      attempt(1),
      isOf(a, 'recovery_failed'),
      attempt(2),
      attempt(3),
      isOf(a, 'recovery_exhausted'),
      attempt(4),
    ];
    for (const reached of stages) {
      await untilEvent(watching, reached, 60_000);
      await watching.orchestrator.kill();
      watching = await stage.watch();
    }
    await untilEvent(watching, attempt(5), 60_000);
    const made = await eventsOf(watching, 'recovery_started', a);
    expect(made.map(({ attempt: number }) => number)).toEqual([1, 2, 3, 4, 5]);
    expect(made.map(({ strategy }) => strategy).slice(0, 3)).toEqual(['restart', 'restart', 'recreate']);
    expect(await eventsOf(watching, 'recovery_exhausted', a)).toHaveLength(1);
    const kinds = ['server_down', 'recovery_started', 'recovery_failed', 'recovery_exhausted'];
    const told = await Promise.all(kinds.map((kind) => eventsOf(watching, kind, a)));
    expect(new Set(told.flat().map(({ incident_id: id }) => id)).size, 'all of it is one trouble').toBe(1);
    const falls = (told[0] ?? []).map(({ attempt: after }) => after);
    expect(falls, 'each fall is told once').toEqual([...new Set(falls)]);
  }),
);

test.concurrent(
  'killed in the middle of a recovery, it goes on where it was: one incident, no attempt twice',
  onStage(async (stage) => {
    const a = stage.name('a');
    let watching = await stage.watch();
    await allReady(watching, await stage.merge([stage.entry('a')]), [a]);
    await hang(stage, a);
    for (const stageOfIt of ['server_down', 'recovery_started']) {
      await untilEvent(watching, isOf(a, stageOfIt));
      await watching.orchestrator.kill();
      watching = await stage.watch();
    }
    await untilEvent(watching, isOf(a, 'recovery_successful'), 90_000);
    const attempts = (await eventsOf(watching, 'recovery_started', a)).map(({ attempt }) => attempt);
    expect(attempts).toEqual(attempts.map((_, index) => index + 1));
    expect(attempts.length).toBeLessThanOrEqual(3);
    const downs = await eventsOf(watching, 'server_down', a);
    expect(new Set(downs.map(({ incident_id: id }) => id)).size).toBe(1);
  }),
);

test.concurrent(
  'a server that never comes back costs three attempts and then one per slow retry, and says it needs a person',
  onStage(async (stage) => {
    const a = stage.name('a');
    const watching = await stage.watch();
    const recovery = { backoff_seconds: [0], slow_retry_seconds: 10 };
    const update = { healthy_deadline_seconds: 3, soak_seconds: 60 };
    const health_check = { start_period_seconds: 0 };
    const dead = {
      recovery,
      update,
      health_check,
      docker: { command: ['node', '-e', 'setInterval(() => {}, 1000)'] },
    };
    await stage.merge([stage.entry('a', dead)]);
    const exhausted = await untilEvent(watching, isOf(a, 'recovery_exhausted'), 60_000);
    expect(exhausted).toMatchObject({ requires_manual: true, attempts: 3 });
    const { recovery: told, reason } = await watching.status.server(a, (one) => one.recovery.requires_manual);
    expect([told.attempts >= 3, reason]).toEqual([true, expect.any(String)]);
    const slow = await untilEvent(
      watching,
      (event) => isOf(a, 'recovery_started')(event) && Number(event['attempt']) > 3,
      40_000,
    );
    const strategies = (await eventsOf(watching, 'recovery_started', a))
      .slice(0, 3)
      .map(({ strategy }) => strategy);
    expect(strategies).toEqual(['restart', 'restart', 'recreate']);
    const third = (await eventsOf(watching, 'recovery_started', a))[2];
    expect((slow.time_ms - (third?.time_ms ?? 0)) / 1_000).toBeGreaterThanOrEqual(10);
  }),
);
