import type { HoldReason, Step } from '../../model/step.ts';

/** What a row of the decision table says: do this now, or wait (and let the next row be tried). */
export type Verdict = Act | Wait;

export interface Act {
  readonly step: Step;
  readonly why: string;
}

export interface Wait {
  readonly step: null;
  readonly why: string;
  /** Unix ms; null: only news can change it. */
  readonly wakeAt: number | null;
  readonly held: HoldReason | null;
}

/** Rows in the order they are tried; the first that acts wins. */
export type Rows = Generator<Verdict, void, undefined>;
/** Rows that also tell whether those after them may be tried. */
export type Gate = Generator<Verdict, boolean, undefined>;

export const act = (step: Step, why: string): Act => ({ step, why });
export const wait = (why: string, wakeAt: number | null = null, held: HoldReason | null = null): Wait => ({
  step: null,
  why,
  wakeAt,
  held,
});
