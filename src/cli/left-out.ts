import { overLine } from '../lib/over-line.ts';
import { plain } from '../lib/plain.ts';
import type { Event } from '../model/event.ts';
import type { Io } from './command.ts';

/** Lines of the log that a command goes on without: nobody can read them, or they make us stumble. */
export class LeftOut {
  #unreadable = 0;
  /** Number of the line -> what is said of it. */
  readonly #mistaken = new Map<number, string>();

  readonly skipped = (): void => {
    this.#unreadable += 1;
  };

  /** The state after the line, or the one before it where the line is set aside. */
  over<State>(state: State, event: Event, step: () => State): State {
    const after = overLine(state, step);
    if (after.mistake !== null) this.#note(event, after.mistake);
    return after.state;
  }

  has({ seq }: Event): boolean {
    return this.#mistaken.has(seq);
  }

  /** Nothing where every line was used. */
  tell(io: Io): void {
    if (this.#unreadable > 0)
      io.stderr.write(`${this.#unreadable} lines could not be read and were skipped\n`);
    const [first] = this.#mistaken.values();
    if (first === undefined) return;
    const { size } = this.#mistaken;
    io.stderr.write(`${size} lines were set aside for a mistake of ours; send us the first, ${first}\n`);
  }

  #note({ seq, event_type: type }: Event, mistake: unknown): void {
    const says = mistake instanceof Error ? `${mistake.name}: ${mistake.message}` : String(mistake);
    this.#mistaken.set(seq, plain(`seq ${seq} (${type}): ${says.slice(0, 500)}`));
  }
}
