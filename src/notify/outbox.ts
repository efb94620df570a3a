import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../lib/atomic-file.ts';
import type { Event } from '../model/event.ts';
import type { Incidents } from './incident.ts';
import type { Message } from './message.ts';

/** Beyond this many the oldest make room: a receiver that was away for days wants the news, not all of it. */
const MOST_MESSAGES = 500;
const INCIDENTS = 'incidents.json';

/** What people know: the troubles that are open for them, and up to where in the log they were told. */
export interface Told {
  readonly open: Incidents;
  /** Number of the last event that was judged. */
  readonly seq: number;
  /** Unix ms: nobody was told of what was before. */
  readonly from: number;
}

interface OutboxPlace {
  readonly folder: string;
  readonly trouble: (error: unknown) => void;
  /** Unix ms. */
  readonly now: number;
}

/** The folder of what has not arrived yet. One file a message, named so that they sort by age; survives kill -9. */
export class Outbox {
  readonly #folder: string;
  readonly #trouble: (error: unknown) => void;
  #waiting: Message[];
  #told: Told;

  private constructor({ folder, trouble }: OutboxPlace, waiting: Message[], told: Told) {
    this.#folder = folder;
    this.#trouble = trouble;
    this.#waiting = waiting;
    this.#told = told;
  }

  /** Takes up what an earlier run left. A file that cannot be read as a message is removed. */
  static async open(place: OutboxPlace): Promise<Outbox> {
    const { folder } = place;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const names = (await readdir(folder))
      .filter((name) => name.endsWith('.json') && name !== INCIDENTS)
      .sort();
    const waiting: Message[] = [];
    for (const name of names) {
      const message = (await readJson(join(folder, name))) as Message | null;
      if (message !== null && fileOf(message) === name) waiting.push(message);
      else await rm(join(folder, name), { force: true });
    }
    const known = (await readJson(join(folder, INCIDENTS))) as Told | null;
    const outbox = new Outbox(place, waiting, known ?? { open: {}, seq: 0, from: place.now });
    if (known === null) await outbox.#write();
    return outbox;
  }

  get incidents(): Incidents {
    return this.#told.open;
  }

  /** People were told of it, or have known of it before they could be told of anything. */
  knows({ seq, time_ms: at }: Event): boolean {
    return seq <= this.#told.seq || at < this.#told.from;
  }

  /** `seq`: up to where in the log; where it is not given, as far as before. */
  async keep(open: Incidents, seq: number = this.#told.seq): Promise<void> {
    if (open === this.#told.open && seq === this.#told.seq) return;
    this.#told = { ...this.#told, open, seq };
    await this.#write();
  }

  /** On disk when it resolves. Returns the messages that had to make room. */
  async add(message: Message): Promise<readonly Message[]> {
    await writeAtomically(join(this.#folder, fileOf(message)), JSON.stringify(message));
    // Told again after a death, it is the same message.
    this.#waiting = [...this.#waiting.filter(({ id }) => id !== message.id), message];
    const crowded = this.#waiting.slice(0, Math.max(0, this.#waiting.length - MOST_MESSAGES));
    for (const old of crowded) await this.remove(old);
    return crowded;
  }

  /** The oldest message of a channel, or null. */
  next(channel: string): Message | null {
    return this.#waiting.find((message) => message.channel === channel) ?? null;
  }

  /** Forgotten at once; a file that cannot be removed is told to `trouble` and read again at the next start. */
  async remove(message: Message): Promise<void> {
    this.#waiting = this.#waiting.filter((other) => other !== message);
    await rm(join(this.#folder, fileOf(message)), { force: true }).catch(this.#trouble);
  }

  async #write(): Promise<void> {
    await writeAtomically(join(this.#folder, INCIDENTS), JSON.stringify(this.#told));
  }
}

const fileOf = ({ id, notice }: Message): string => `${String(notice?.at).padStart(15, '0')}-${id}.json`;

/** null where there is nothing, or nothing that can be read: a cut file is not worth a start. */
async function readJson(path: string): Promise<object | null> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof value === 'object' ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
