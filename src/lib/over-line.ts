/**
 * One step over one line of a log, whatever the line says: a line that makes us stumble is set aside, and what was known
 * before it stays. `mistake`: what was thrown; null where the step was made.
 */
export function overLine<State>(
  state: State,
  step: () => State,
): { readonly state: State; readonly mistake: unknown } {
  try {
    return { state: step(), mistake: null };
  } catch (mistake) {
    return { state, mistake };
  }
}
