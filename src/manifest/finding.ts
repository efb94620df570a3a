/** A problem before its place is looked up. `at: key` points at the name instead of the value. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  readonly path: string;
  readonly message: string;
  readonly advice: string;
  readonly at?: 'key' | 'value';
}

export const error = (path: string, message: string, advice: string): Finding => ({
  severity: 'error',
  path,
  message,
  advice,
});

export const warning = (path: string, message: string, advice: string): Finding => ({
  severity: 'warning',
  path,
  message,
  advice,
});

/** The findings among conditions and findings: `told(tooLong && error(...), ...)`. */
export const told = (...found: readonly (Finding | false | null | undefined)[]): readonly Finding[] =>
  found.filter((one) => one !== false && one !== null && one !== undefined);
