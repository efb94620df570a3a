/** Which deeds have ended since a look began: what was seen before the end of a deed must not make us do it again. */
export class Ends {
  #count = 0;
  readonly #last = new Map<string, number>();

  /** The present moment, to be asked about with `wasSeen`. */
  moment(): number {
    return this.#count;
  }

  note(deed: string): void {
    this.#count += 1;
    this.#last.set(deed, this.#count);
  }

  /** A look that began at that moment saw what the last such deed has done. */
  wasSeen(deed: string, moment: number): boolean {
    return (this.#last.get(deed) ?? 0) <= moment;
  }
}
