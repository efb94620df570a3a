import { ownValue } from '../../lib/own-value.ts';
import type { Address } from '../../model/observed.ts';
import type { Spec } from '../../model/spec.ts';
import type { Birth } from '../runtime.ts';
import { readSpec } from './spec-label.ts';

/** The labels of contracts section 3. */
type Labels = Readonly<Record<string, string>>;

const PREFIX = 'io.liminalcommons.mcp-orchestration.';
export const ownerLabel = `${PREFIX}owner`;
export const serverLabel = `${PREFIX}server`;
export const digestLabel = `${PREFIX}digest`;

/**
 * Raised when what every container gets besides its spec changes (hardening, log rotation): containers made in an
 * older form are no drift, since upgrading the orchestrator restarts nothing.
 */
export const FORM = '1';

/** Whatever we make says whose it is. */
export const ourLabels = (owner: string): Labels => ({
  'mcp.ecosystem': 'liminalcommons',
  [ownerLabel]: owner,
});

/** The spec has secrets as references only; no value gets here. */
export function toLabels(birth: Birth, published: Address): Labels {
  const { spec } = birth;
  return {
    ...ourLabels(birth.owner),
    [serverLabel]: spec.server,
    [digestLabel]: spec.digest,
    [`${PREFIX}revision`]: birth.revision,
    [`${PREFIX}instance`]: birth.instance,
    [`${PREFIX}spec`]: JSON.stringify(spec),
    [`${PREFIX}source`]: birth.source,
    [`${PREFIX}trace`]: birth.traceId,
    [`${PREFIX}published`]: `${published.host}:${published.port}`,
    [`${PREFIX}form`]: FORM,
  };
}

/** What the labels tell; empty texts where one is missing, null where one cannot be read. */
export interface Told {
  readonly server: string;
  readonly instance: string;
  readonly specDigest: string;
  readonly spec: Spec | null;
  readonly revision: string;
  readonly traceId: string;
  readonly source: string;
  readonly published: Address | null;
  readonly form: string;
}

export function fromLabels(labels: Labels): Told {
  const text = (name: string): string => ownValue(labels, `${PREFIX}${name}`) ?? '';
  return {
    server: text('server'),
    instance: text('instance'),
    specDigest: text('digest'),
    spec: readSpec(text('spec'), text('digest')),
    revision: text('revision'),
    traceId: text('trace'),
    source: text('source'),
    published: readAddress(text('published')),
    form: text('form'),
  };
}

function readAddress(text: string): Address | null {
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  return colon > 0 && Number.isInteger(port) && port > 0 ? { host: text.slice(0, colon), port } : null;
}
