import type { SelfChecks } from '../status/status.ts';

/** How we are ourselves. */
export class Self {
  readonly #tell: (checks: SelfChecks) => void;
  #checks: SelfChecks = { manifest: 'down', engine: 'down', journal: 'ok' };

  constructor(tell: (checks: SelfChecks) => void) {
    this.#tell = tell;
    tell(this.#checks);
  }

  set(checks: Partial<SelfChecks>): void {
    this.#checks = { ...this.#checks, ...checks };
    this.#tell(this.#checks);
  }
}
