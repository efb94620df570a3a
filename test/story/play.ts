import { describe, expect, it } from 'vitest';
import { openStage, type Stage } from '../support/orchestrator.ts';
import { allStories } from './all.ts';
import type { Story } from './stories.ts';

interface Death {
  readonly at: number;
  readonly side: 'before' | 'after';
}

/** What outsiders can tell of the end: which version answers, what else is left, what is set aside. */
interface End {
  readonly containers: readonly string[];
  readonly memory: Readonly<Record<string, unknown>>;
  readonly commits: readonly string[];
}

/** Every write in CI; at a desk some of them, others each day. */
const EVERY = process.env['CI'] === 'true' ? 1 : 7;
const offset = (): number => new Date().getDate() % EVERY;

/** Replays every `of`-th story with a death on both sides of every write: files run side by side, so stories are dealt out. */
export function replay(share: number, of: number): void {
  const dealt = allStories.filter((_, at) => at % of === share);
  describe.each(dealt)('$name', (story) => {
    it('ends the same with a death at every write', { timeout: 240_000 }, async () => {
      const whole = await play(story, null);
      for (let at = 1 + offset(); at <= whole.writes; at += EVERY) {
        for (const side of ['before', 'after'] as const) {
          const died = await play(story, { at, side });
          expect(died.end, `died ${side} write ${at}`).toEqual(whole.end);
        }
      }
    });
  });
}

/** One whole run, with a death or none. */
export async function play(
  story: Story,
  death: Death | null,
): Promise<{ text: string; writes: number; end: End }> {
  const stage = await openStage({ ...story.options, inMemory: death !== null });
  try {
    if (death !== null) stage.dieAtWrite(death.at, death.side);
    await stage.start();
    await story.tell(stage);
    return { text: await stage.story(), writes: stage.writes(), end: endOf(stage) };
  } finally {
    await stage.close();
  }
}

function endOf(stage: Stage): End {
  const containers = stage.engine.controls
    .instances()
    .map(
      ({ server, state, joined, spec }) =>
        `${server} ${spec?.settings.version ?? '?'} ${state}${joined ? ' live' : ''}`,
    )
    .sort();
  const { servers } = stage.orchestrator().recorder.memory;
  const memory = Object.fromEntries(
    Object.entries(servers).map(([name, { stable, quarantined }]) => [
      name,
      { stable, quarantined: quarantined.map(({ spec }) => spec) },
    ]),
  );
  return { containers, memory, commits: stage.repository.commits() };
}
