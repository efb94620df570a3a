import { Worker } from 'node:worker_threads';

/** A case that has not ended by then never will: a busy machine is slow, not dead. */
const HANGS_AFTER_MS = 90_000;

const watch = `
const { workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const [shared, seed, limit] = workerData;
const nth = new Int32Array(shared);
let last = -1, since = Date.now();
setInterval(() => {
  const now = Atomics.load(nth, 0);
  if (now !== last) [last, since] = [now, Date.now()];
  if (last < 0 || Date.now() - since < limit) return;
  writeSync(2, 'case ' + last + ' hangs; again: npm run fuzz -- --seed ' + seed + ' --case ' + last + '\\n');
  process.kill(process.pid, 'SIGKILL');
}, 500);`;

/** Ends the process, and says at which case, when a case hangs in a loop that lets nothing else run. */
export class Watchdog {
  readonly #nth = new Int32Array(new SharedArrayBuffer(4));
  readonly #thread: Worker;

  constructor(seed: number) {
    this.#nth[0] = -1;
    this.#thread = new Worker(watch, { eval: true, workerData: [this.#nth.buffer, seed, HANGS_AFTER_MS] });
    this.#thread.unref();
  }

  begin(nth: number): void {
    Atomics.store(this.#nth, 0, nth);
  }

  close(): void {
    void this.#thread.terminate();
  }
}
