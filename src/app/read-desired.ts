import { err, ok } from '../lib/result.ts';
import type { Policy } from '../manifest/policy.ts';
import { resolveManifest } from '../manifest/resolve.ts';
import { formatProblems } from '../manifest/validate.ts';
import { readOffThread } from '../reader/reader.ts';
import type { ReadDesired } from '../reconcile/intake.ts';

interface Reader {
  readonly readDesired: ReadDesired;
  /** Every problem behind an error that is only a word for machines; any other error as it is. */
  readonly explain: (error: string) => string;
}

/** Reads manifests off the main thread, then fills in and judges them by the operator's policy. */
export function openReader(policy: Policy): Reader {
  let last = { error: '', problems: '' };
  const readDesired: ReadDesired = async ({ content, file, revision, source }, chooseTrace) => {
    const read = await readOffThread({ content, file }, new AbortController().signal);
    if (read.ok) {
      const traceId = chooseTrace(read.value.manifest.trace_id);
      return ok(resolveManifest(read.value.manifest, { revision, source, traceId, policy }));
    }
    const { error, registry_version: registryVersion, expected } = read.error.details;
    const problems = formatProblems(read.error.problems);
    if (registryVersion === undefined || expected === undefined) return err({ error: problems });
    // Other programs look for these very words (contracts section 4); people are told the rest.
    last = { error, problems };
    return err({ error, registryVersion, expected });
  };
  return { readDesired, explain: (error) => (error === last.error ? last.problems : error) };
}
