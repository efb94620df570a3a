import { err, ok } from '../lib/result.ts';
import type { Policy } from '../manifest/policy.ts';
import { resolveManifest } from '../manifest/resolve.ts';
import { formatProblems } from '../manifest/validate.ts';
import { readOffThread } from '../reader/reader.ts';
import type { ReadDesired } from '../reconcile/intake.ts';

/** Reads manifests off the main thread, then fills in and judges them by the operator's policy. */
export function readDesiredBy(policy: Policy): ReadDesired {
  return async ({ content, file, revision, source }, chooseTrace) => {
    const read = await readOffThread({ content, file }, new AbortController().signal);
    if (read.ok) {
      const traceId = chooseTrace(read.value.manifest.trace_id);
      return ok(resolveManifest(read.value.manifest, { revision, source, traceId, policy }));
    }
    const { details, problems } = read.error;
    const error = formatProblems(problems);
    return err(details.expected === undefined ? { error } : { error, details });
  };
}
