import type { EventDraft } from '../model/event.ts';
import type { Resolved } from '../model/memory.ts';
import type { Deployable } from '../plan/choice.ts';

export interface Chosen extends Pick<Resolved, 'image' | 'imageDigest' | 'askedDigest'> {
  /** Bytes that a pull onto an empty disk fetches, where its registry was asked. */
  readonly sizeBytes?: number;
}

export interface Because {
  readonly version: string | null;
  readonly traceId: string;
  /** For people, as `why` of a line always is. */
  readonly why: string;
}

/** The line that says what an entry stands for now. Whoever found it out, it has every field. */
export function versionResolved(
  { name, entry, blueprint }: Deployable,
  { image, imageDigest, askedDigest, sizeBytes }: Chosen,
  { version, traceId, why }: Because,
): EventDraft {
  return {
    ...{ event: 'version_resolved', server: name, traceId },
    fields: {
      ...{ entry, image, image_digest: imageDigest, version },
      ...{ asked: blueprint.image, asked_digest: askedDigest ?? null, size_bytes: sizeBytes ?? null, why },
    },
  };
}
