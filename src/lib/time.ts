/** `YYYY-MM-DDTHH:MM:SSZ` of Unix ms: no fractions, as every log of the ecosystem. */
export const isoSeconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** Whole seconds between two Unix ms, never below zero. */
export const secondsBetween = (from: number, to: number): number =>
  Math.max(0, Math.round((to - from) / 1000));
