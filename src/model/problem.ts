/** Something wrong with what a person wrote: where, what, and how to mend it. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** 1-based; 0 when the place is not known. */
  readonly line: number;
  readonly column: number;
  /** `servers[2].docker.port`; empty for the whole document. */
  readonly path: string;
  readonly message: string;
  readonly advice: string;
}
