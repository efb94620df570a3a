import { describe, expect, it } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { checkpoint, event } from '../journal/sample.ts';

/** What every journal does. `open` opens the same place again and again; `folder` makes a new place. */
export function journalContract(
  kind: string,
  make: { folder(): Promise<string>; open(folder: string, maxBytes?: number): Promise<Journal> },
): void {
  describe(`${kind}: a journal`, () => {
    it('gives back what was appended, in order, after a restart', async () => {
      const folder = await make.folder();
      const first = await make.open(folder);
      expect(first.next('events')).toBe(1);
      for (const seq of [1, 2, 3]) await first.append('events', event(seq));
      expect(first.next('events')).toBe(4);
      await first.close();

      const again = await make.open(folder);
      expect(again.next('events')).toBe(4);
      expect(await again.replay('events')).toEqual({ events: [event(1), event(2), event(3)], skipped: 0 });
      await again.close();
    });

    it('counts each log for itself', async () => {
      const journal = await make.open(await make.folder());
      await journal.append('events', event(1));
      expect([journal.next('events'), journal.next('health')]).toEqual([2, 1]);
      await journal.append('health', event(1));
      expect((await journal.replay('health')).events).toEqual([event(1)]);
      await journal.close();
    });

    it('keeps the order of appends that nobody waited for', async () => {
      const journal = await make.open(await make.folder());
      await Promise.all([1, 2, 3, 4, 5].map((seq) => journal.append('events', event(seq))));
      expect((await journal.replay('events')).events.map((each) => each.seq)).toEqual([1, 2, 3, 4, 5]);
      await journal.close();
    });

    it('begins a new file with a checkpoint, after which older events are not needed', async () => {
      const folder = await make.folder();
      const journal = await make.open(folder, 300);
      for (const seq of [1, 2, 3]) await journal.append('events', event(seq));
      expect(journal.isFull('events')).toBe(true);
      await journal.rotate('events', checkpoint(4));
      expect(journal.isFull('events')).toBe(false);
      expect(journal.next('events')).toBe(5);
      await journal.append('events', event(5));
      await journal.close();

      const again = await make.open(folder, 300);
      expect((await again.replay('events')).events).toEqual([checkpoint(4), event(5)]);
      expect(again.next('events')).toBe(6);
      await again.close();
    });

    it('goes on counting over a rotation without a checkpoint', async () => {
      const folder = await make.folder();
      const journal = await make.open(folder);
      await journal.append('health', event(1));
      await journal.rotate('health', null);
      expect(journal.next('health')).toBe(2);
      await journal.close();
      const again = await make.open(folder);
      expect(again.next('health')).toBe(2);
      expect((await again.replay('health')).events).toEqual([event(1)]);
      await again.close();
    });
  });
}
