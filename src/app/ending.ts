/** The first reason to stop by ourselves: a `StartError` that says why in one sentence, or our own mistake. */
export class Ending {
  /** Rejects with the reason; pending for ever while there is none. */
  readonly reached: Promise<never>;
  end: (reason: unknown) => void = () => undefined;

  constructor() {
    this.reached = new Promise((_resolve, reject) => (this.end = reject));
    // Whoever waits for the end hears of it; nobody may be waiting yet.
    this.reached.catch(() => undefined);
  }
}
