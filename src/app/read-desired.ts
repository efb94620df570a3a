import { err, ok } from '../lib/result.ts';
import type { Policy } from '../manifest/policy.ts';
import { resolveManifest } from '../manifest/resolve.ts';
import { formatProblems } from '../manifest/validate.ts';
import { readOffThread } from '../reader/reader.ts';
import type { ReadDesired } from '../reconcile/intake.ts';

/** Reads a manifest off the main thread, then fills in and judges it by the operator's policy. */
export function reader(policy: Policy): ReadDesired {
  return async ({ content, file, revision, source }, chooseTrace) => {
    const read = await readOffThread({ content, file }, new AbortController().signal);
    if (!read.ok) {
      const { registry_version, expected } = read.error.details;
      return err({
        error: formatProblems(read.error.problems),
        ...(registry_version === undefined ? {} : { registryVersion: registry_version }),
        ...(expected === undefined ? {} : { expected }),
      });
    }
    const traceId = chooseTrace(read.value.manifest.trace_id);
    return ok(resolveManifest(read.value.manifest, { revision, source, traceId, policy }));
  };
}
