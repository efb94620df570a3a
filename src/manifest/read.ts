import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import { readUtf8 } from '../lib/utf8.ts';
import type { Problem } from '../model/problem.ts';
import { checkFor } from './check.ts';
import { formatOf } from './format.ts';
import type { Format } from './format.ts';
import { withDefaults } from './merge.ts';
import type { Finding } from './finding.ts';
import { inOrder, isRecord, located, placeOf, problemAt } from './places.ts';
import type { Places } from './places.ts';
import { checkRules } from './rules.ts';
import type { Draft } from './rules.ts';
import { manifestJsonSchema } from './schema/manifest.ts';
import type { Manifest } from './schema/manifest.ts';
import type { Defaults } from './schema/server.ts';
import { inOneShape } from './shapes.ts';
import { parseYaml } from './yaml.ts';
import type { Parsed } from './yaml.ts';

export interface ManifestText {
  /** Bytes as they are in the commit. */
  readonly content: Uint8Array;
  /** For messages. */
  readonly file: string;
}

/** Plain data: it crosses a thread. */
export interface ReadManifest {
  readonly manifest: Manifest;
  readonly warnings: readonly Problem[];
  /** Path -> `[line, column]`, for what is judged later (trust, policy): entries and their blocks. */
  readonly places: Readonly<Record<string, readonly [line: number, column: number]>>;
}

/** A manifest that changes nothing. `details` is what the event `registry_read_failed` carries. */
export interface UnreadManifest {
  readonly problems: readonly Problem[];
  readonly details: {
    readonly error: string;
    readonly registry_version?: string;
    readonly expected?: string;
  };
}

export type ReadResult = Result<ReadManifest, UnreadManifest>;

export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_PROBLEMS = 200;

const check = checkFor(manifestJsonSchema);

/**
 * Reads a manifest: UTF-8, at most 4 MiB, one YAML document, valid by the schema and by the rules a schema
 * cannot say. Every problem at once, in the order of the text. Never throws, whatever the bytes.
 */
export function readManifest({ content, file }: ManifestText): ReadResult {
  const text = decode(content, file);
  if (!text.ok) return refusal([text.error], null);
  const parsed = parseYaml(text.value, file);
  return parsed.ok ? understand(parsed.value, file) : refusal(parsed.error, null);
}

/** A refusal for a reason that stands at no line. */
export function unread(file: string, message: string, advice: string): UnreadManifest {
  return { problems: [problemAt(file, null, message, advice)], details: { error: message } };
}

function decode(content: Uint8Array, file: string): Result<string, Problem> {
  if (content.byteLength > MAX_MANIFEST_BYTES) {
    const message = `larger than 4 MiB (${content.byteLength} bytes)`;
    return err(problemAt(file, null, message, 'Keep only what the servers need.'));
  }
  const text = readUtf8(content);
  return text.ok ? text : err(problemAt(file, null, text.error.what, text.error.advice));
}

function understand({ value, places }: Parsed, file: string): ReadResult {
  if (!isRecord(value)) {
    const message = value === null ? 'the manifest is empty' : 'the manifest is not a mapping';
    const advice = 'Begin with version: "1.1" and servers: [].';
    return refusal([problemAt(file, places.get('')?.value ?? null, message, advice)], null);
  }
  const format = formatOf(value);
  const broken = check(value, (path) => places.get(path)?.source ?? null);
  const draft = draftOf(value, format, broken);
  const findings = [...format.findings, ...broken, ...checkRules(draft)];
  const problems = inOrder(findings.map((finding) => located(finding, file, places)));
  if (findings.some(({ severity }) => severity === 'error')) return refusal(problems, format);
  return ok({ manifest: draft.manifest, warnings: problems, places: outline(places) });
}

/** What can be understood although parts may be broken: the rules look at the sound entries only. */
function draftOf(
  value: Readonly<Record<string, unknown>>,
  format: Format,
  broken: readonly Finding[],
): Draft {
  const written = Array.isArray(value['servers']) ? (value['servers'] as unknown[]) : [];
  const isBroken = (path: string): boolean => broken.some((finding) => inside(finding.path, path));
  const defaults = isRecord(value['defaults']) ? (value['defaults'] as Defaults) : {};
  const sound = written.flatMap((entry, index) =>
    isBroken('defaults') || isBroken(`servers[${index}]`)
      ? []
      : [{ path: `servers[${index}]`, entry: withDefaults(inOneShape(entry), defaults) }],
  );
  const trace = value['trace_id'];
  return {
    listed: Array.isArray(value['servers']),
    names: written.map(nameOf),
    sound,
    manifest: {
      version: format.version,
      trace_id: typeof trace === 'string' ? trace : null,
      paused: value['paused'] === true,
      servers: sound.map(({ entry }) => entry),
    },
  };
}

const inside = (path: string, block: string): boolean =>
  path === block || (path.startsWith(block) && /[.[]/.test(path[block.length] ?? ''));

function nameOf(entry: unknown): string | null {
  if (!isRecord(entry)) return null;
  const named = isRecord(entry['server']) ? entry['server'] : entry;
  return typeof named['name'] === 'string' ? named['name'] : null;
}

function refusal(found: readonly Problem[], format: Format | null): ReadResult {
  const problems = found.length <= MAX_PROBLEMS ? found : [...found.slice(0, MAX_PROBLEMS), more(found)];
  const mismatch = format?.mismatch ?? null;
  if (mismatch === null) return err({ problems, details: { error: summary(found) } });
  const { registryVersion, expected } = mismatch;
  return err({
    problems,
    details: { error: 'Schema version mismatch', registry_version: registryVersion, expected },
  });
}

function more(found: readonly Problem[]): Problem {
  const rest = found.length - MAX_PROBLEMS;
  return problemAt(found[0]?.file ?? '', null, `and ${rest} more problems`, 'Correct these first.');
}

function summary(found: readonly Problem[]): string {
  const [first, ...rest] = found.filter(({ severity }) => severity === 'error');
  if (first === undefined) return 'the manifest cannot be read';
  const what = first.path === '' ? first.message : `${first.path}: ${first.message}`;
  return `${placeOf(first)} ${what}${rest.length === 0 ? '' : ` (and ${rest.length} more)`}`;
}

/** The places of entries, their blocks and the keys in these: no later judgement looks deeper. */
function outline(places: Places): ReadManifest['places'] {
  const shallow = [...places].filter(([path]) => /^servers(\[\d+\](\.\w+(\.\w+)?)?)?$/.test(path));
  return Object.fromEntries(shallow.map(([path, { value }]) => [path, [value.line, value.column] as const]));
}
