import { closest } from './suggest.ts';
import { error, warning } from './finding.ts';
import type { Finding } from './finding.ts';
import { isRecord } from './places.ts';

/** What the event `registry_read_failed` says of a manifest whose format is not ours (contracts section 4). */
export interface FormatMismatch {
  readonly registryVersion: string;
  readonly expected: string;
}

export interface Format {
  readonly version: string;
  readonly findings: readonly Finding[];
  readonly mismatch: FormatMismatch | null;
}

/** The newest minor version of the format that this program knows. */
const NEWEST_MINOR = 1;
const EXPECTED = '>=1.0.0 <1.2.0';

/**
 * Which format a manifest says it is. Below 1.0.0, an unknown major, and 1.2 or above are a mismatch.
 * Nothing is said of a version that is no string: the schema does that.
 */
export function formatOf(document: Readonly<Record<string, unknown>>): Format {
  const written = Object.entries(document).filter(([key]) => key === 'version' || key === 'manifest_version');
  const [first, second] = written;
  if (first === undefined) return undeclared(document);
  const [key, version] = first;
  if (typeof version !== 'string') return { version: '', findings: [], mismatch: null };
  if (second !== undefined && second[1] !== version) {
    return {
      version,
      findings: [error(second[0], `\`${second[0]}\` and \`${key}\` differ`, 'Keep one of the two.')],
      mismatch: null,
    };
  }
  return judged(version, key);
}

/** The registries of the first days did not say; a 1.1 manifest must. */
function undeclared(document: Readonly<Record<string, unknown>>): Format {
  const entries = Array.isArray(document['servers']) ? (document['servers'] as unknown[]) : [];
  const registry =
    entries.length > 0 &&
    entries.every((entry) => isRecord(entry) && ('docker_image' in entry || 'server' in entry));
  const advice = `Add version: "${registry ? '1.0' : '1.1'}" at the top.`;
  const finding = registry
    ? warning('', '`version` is missing: read as 1.0', advice)
    : error('', misspelt(document) ?? '`version` is missing', advice);
  return { version: '1.0', findings: [finding], mismatch: null };
}

function misspelt(document: Readonly<Record<string, unknown>>): string | null {
  const meant = Object.keys(document).find((key) => closest(key, ['version', 'manifest_version']) !== null);
  return meant === undefined ? null : `\`version\` is missing (\`${meant}\` is not it)`;
}

function judged(version: string, key: string): Format {
  const parts = /^(\d{1,6})\.(\d{1,6})(\.\d{1,6})?$/.exec(version);
  if (parts === null) {
    const finding = error(key, `\`${version}\` is not a version of the format`, 'Write "1.0" or "1.1".');
    return { version, findings: [finding], mismatch: { registryVersion: version, expected: EXPECTED } };
  }
  const [major, minor] = [Number(parts[1]), Number(parts[2])];
  if (major === 1 && minor <= NEWEST_MINOR) return { version, findings: [], mismatch: null };
  const newer = major > 1 || (major === 1 && minor > NEWEST_MINOR);
  const message = newer
    ? `version ${version} is newer than this orchestrator knows`
    : `version ${version} is too old`;
  const advice = newer
    ? 'Upgrade the orchestrator, or write "1.1".'
    : 'Bring the manifest to the form of version "1.1".';
  return {
    version,
    findings: [error(key, message, advice)],
    mismatch: { registryVersion: version, expected: EXPECTED },
  };
}
