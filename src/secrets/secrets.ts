import type { SecretRef } from '../model/spec.ts';

/** Secret values, by reference. No value leaves but through `values`. */
export interface Secrets {
  /**
   * The version of each secret a server names. `missing` lists required ones that are not there.
   * Rejects with a `Failure` (`secret_unreadable`).
   */
  refs(
    server: string,
    wanted: readonly { readonly name: string; readonly required: boolean }[],
  ): Promise<{ readonly refs: readonly SecretRef[]; readonly missing: readonly string[] }>;
  /** The values for a new container; rejects with `secret_missing` when one changed or went since `refs`. */
  values(server: string, refs: readonly SecretRef[]): Promise<Readonly<Record<string, string>>>;
  /** Replaces every secret value ever read by `***`. */
  scrub(text: string): string;
}
