import type { Clock } from '../lib/clock.ts';
import { digest } from '../lib/digest.ts';
import type { Log } from '../lib/log.ts';
import type { Event } from '../model/event.ts';
import type { ChannelSettings, ChannelsFile } from './channels.ts';
import { Courier } from './courier.ts';
import { concerns, judge, remind, type Notice } from './incident.ts';
import { logging } from './log.ts';
import type { Delivery } from './message.ts';
import type { Notifier } from './notify.ts';
import { Outbox } from './outbox.ts';
import { slack } from './slack.ts';
import { webhook } from './webhook.ts';

export { channelsSchema, type ChannelsFile } from './channels.ts';

export interface NotifierOptions {
  /** As validated against `channelsSchema`. */
  readonly file: ChannelsFile;
  /** `state/outbox`. */
  readonly folder: string;
  /** The channel that a server's entry names, or null. */
  readonly channelOf: (server: string) => string | null;
  readonly clock: Clock;
  readonly random: () => number;
  readonly newId: () => string;
  readonly log: Log;
}

const USUAL_REMINDER_SECONDS = 14_400;

/** Opens the outbox and begins to carry what an earlier run left. Rejects with the system's error when the folder cannot be used. */
export async function openNotifier(options: NotifierOptions): Promise<Notifier> {
  const unknown = (options.file.default ?? []).filter((name) => !Object.hasOwn(options.file.channels, name));
  if (unknown.length > 0)
    options.log.warn({ unknown }, 'the channels to tell by default include unknown ones');
  const trouble = (error: unknown): void => complain(options.log, error);
  return new Messenger(
    options,
    await Outbox.open({ folder: options.folder, trouble, now: options.clock.now() }),
  );
}

class Messenger implements Notifier {
  readonly #options: NotifierOptions;
  readonly #outbox: Outbox;
  readonly #couriers: ReadonlyMap<string, Courier>;
  readonly #stop = new AbortController();
  readonly #running: readonly Promise<void>[];
  readonly #recalled: Event[] = [];
  #queue: Promise<void> = Promise.resolve();

  constructor(options: NotifierOptions, outbox: Outbox) {
    this.#options = options;
    this.#outbox = outbox;
    this.#couriers = new Map(
      Object.entries(options.file.channels).map(([name, settings]) => [
        name,
        new Courier(name, deliveryOf(settings, options), { ...options, outbox }),
      ]),
    );
    const runs = [...this.#couriers.values()].map((courier) => courier.run(this.#stop.signal));
    this.#running = [...runs, this.#remindForEver()].map((run) =>
      run.catch((error: unknown) => complain(options.log, error)),
    );
  }

  tell(event: Event): void {
    if (concerns(event)) this.#enqueue(() => this.#judgeAll([...this.#recalled.splice(0), event]));
  }

  /** Judged with the next news: by then it is known whom each server's entry names. */
  recall(event: Event): void {
    if (concerns(event) && !this.#outbox.knows(event)) this.#recalled.push(event);
  }

  async close(): Promise<void> {
    await this.#queue;
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  async #judgeAll(events: readonly Event[]): Promise<void> {
    for (const event of events) {
      const { open, notice } = judge(this.#outbox.incidents, event);
      // The message first: a death between the two repeats it with the same id rather than losing it.
      if (notice !== null) await this.#send(notice);
      await this.#outbox.keep(open, event.seq);
    }
  }

  async #remindForEver(): Promise<void> {
    const everyMs = (this.#options.file.reminder_seconds ?? USUAL_REMINDER_SECONDS) * 1000;
    const { clock } = this.#options;
    while (!this.#stop.signal.aborted) {
      await clock.sleep(Math.min(everyMs, 60_000), this.#stop.signal);
      this.#enqueue(async () => {
        await this.#judgeAll(this.#recalled.splice(0));
        const { open, notices } = remind(this.#outbox.incidents, clock.now(), everyMs);
        for (const notice of notices) await this.#send(notice);
        await this.#outbox.keep(open);
      });
    }
  }

  async #send(notice: Notice): Promise<void> {
    for (const channel of this.#channelsFor(notice.server)) {
      const crowded = await this.#outbox.add({ id: this.#idOf(channel, notice), channel, notice });
      for (const { id } of crowded)
        this.#options.log.warn({ channel, id }, 'a notification made room for newer ones');
      this.#couriers.get(channel)?.hint();
    }
  }

  /** The same for the same event, before and after our death. */
  #idOf(channel: string, { event }: Notice): string {
    return event === null
      ? this.#options.newId()
      : digest([channel, event.seq, event.time_ms, event.event_type]).slice(7, 23);
  }

  #channelsFor(server: string | null): readonly string[] {
    const named = server === null ? null : this.#options.channelOf(server);
    const wanted = named !== null && this.#couriers.has(named) ? [named] : (this.#options.file.default ?? []);
    return wanted.filter((name) => this.#couriers.has(name));
  }

  #enqueue(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(work).catch((error: unknown) => complain(this.#options.log, error));
  }
}

/** A full disk or the like: told in the log; nobody waits for a notification. */
function complain(log: Log, error: unknown): void {
  log.error({ err: String(error) }, 'notifications have trouble of their own');
}

/** The one key names the kind. A new kind is a new line here. */
function deliveryOf(settings: ChannelSettings, { clock, log }: NotifierOptions): Delivery {
  if (settings.webhook !== undefined) return webhook(settings.webhook, clock);
  if (settings.slack !== undefined) return slack(settings.slack);
  return logging(log);
}
