import { expect, test } from 'vitest';
import { hang, goOn } from '../../examples/stage/faults.ts';
import { isReady } from '../../examples/stage/status.ts';
import { allReady, eventsOf, isOf, onStage, untilEvent } from '../support/stage.ts';

test(
  'when all servers fall silent at once our view is doubted, nobody is touched, and it clears by itself',
  onStage(async (stage) => {
    const names = ['a', 'b', 'c', 'd'].map(stage.name);
    const watching = await stage.watch();
    const entries = ['a', 'b', 'c', 'd'].map((name) => stage.entry(name));
    await allReady(watching, await stage.merge(entries), names);
    await Promise.all(names.map((name) => hang(stage, name)));
    const suspected = await untilEvent(watching, ({ event_type }) => event_type === 'view_suspected');
    expect(suspected['of']).toBe(4);
    const seen = await watching.status.until('view suspect', ({ view }) => view === 'suspect');
    expect(seen.view).toBe('suspect');
    for (const name of names) await untilEvent(watching, isOf(name, 'server_down'));
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect(await eventsOf(watching, 'recovery_started')).toEqual([]);
    await Promise.all(names.map((name) => goOn(stage, name)));
    await untilEvent(watching, ({ event_type }) => event_type === 'view_cleared');
    await watching.status.until(
      'all ready',
      ({ servers, view }) => view === 'clear' && servers.every(isReady),
    );
    expect(await eventsOf(watching, 'recovery_started')).toEqual([]);
    expect(await eventsOf(watching, 'server_started')).toHaveLength(4);
  }),
);
