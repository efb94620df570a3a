import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { crash } from '../../examples/stage/faults.ts';
import { isReady } from '../../examples/stage/status.ts';
import type { LoggedEvent } from '../../examples/stage/events.ts';
import { allReady, eventsOf, isOf, onStage, theServer, untilEvent } from '../support/stage.ts';

const HOUR_MS = 3_600_000;
test(
  'a clock that is set by an hour, forwards and back, restarts nobody, hurts no update, and falls are recovered as ever',
  onStage(async (stage) => {
    // Answers without a time of their own: on one machine it is set for all.
    for (const version of ['1.0.4', '1.0.5']) await theServer(stage.engine, version, 'bare');
    const file = join(stage.folder, 'clock-offset');
    const set = (ms: number): void => {
      writeFileSync(`${file}.new`, String(ms));
      renameSync(`${file}.new`, file);
    };
    set(0);
    const shim = new URL('../support/stepped-clock.js', import.meta.url).href;
    const env = { NODE_OPTIONS: `--import ${shim}`, CLOCK_OFFSET_FILE: file };
    const watching = await stage.watch({ env });
    const [a, b, c] = ['a', 'b', 'c'].map(stage.name) as [string, string, string];
    const entries = (versionOfC: string) => [
      stage.entry('a', {}, '1.0.4'),
      stage.entry('b', {}, '1.0.4'),
      stage.entry('c', {}, versionOfC),
    ];
    await allReady(watching, await stage.merge(entries('1.0.4')), [a, b, c]);
    await untilEvent(watching, isOf(c, 'update_completed'));

    set(HOUR_MS);
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect(await eventsOf(watching, 'server_down')).toEqual([]);
    await crash(stage, a);
    await untilEvent(watching, isOf(a, 'recovery_successful'));

    set(0);
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    await crash(stage, b);
    await untilEvent(watching, isOf(b, 'recovery_successful'));

    await stage.merge(entries('1.0.5'));
    const isNew = (event: LoggedEvent) => isOf(c, 'server_started')(event) && event['version'] === '1.0.5';
    await untilEvent(watching, isNew);
    set(HOUR_MS);
    await watching.status.server(c, (seen) => isReady(seen) && seen.version === '1.0.5');
    set(0);
    await watching.status.server(
      c,
      ({ endpoints, version }) => version === '1.0.5' && endpoints.length === 1,
    );
    expect(await eventsOf(watching, 'version_quarantined')).toEqual([]);
    const recovered = (await eventsOf(watching, 'recovery_started')).map(({ server_name }) => server_name);
    expect(recovered).toEqual([a, b]);
    expect(await eventsOf(watching, 'view_suspected')).toEqual([]);
  }),
);
