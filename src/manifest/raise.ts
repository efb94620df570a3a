import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import { ownValue } from '../lib/own-value.ts';
import { parseImage, versionOfTag } from './image.ts';
import { isRecord, under } from './places.ts';
import { readManifest } from './read.ts';
import type { ManifestText } from './read.ts';
import { parseYaml } from './yaml.ts';
import type { Parsed } from './yaml.ts';

/** One server, and the tag of its image that the manifest is to name. */
export interface NewVersion {
  readonly server: string;
  readonly tag: string;
}

/**
 * The manifest with another version of one server: only the words that say it are changed, every other byte stays as
 * it is. Or why that cannot be done, in half a sentence. Never throws, and never gives what the reader would refuse.
 */
export function raiseVersion(
  { content, file }: ManifestText,
  version: NewVersion,
): Result<Uint8Array, string> {
  if (!readManifest({ content, file }).ok) return err('the manifest cannot be read');
  // A byte order mark stays as well.
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(content);
  const before = parseYaml(text, file);
  if (!before.ok) return err('the manifest cannot be read');
  const edits = editsFor(before.value, version);
  if (!edits.ok) return edits;
  const raised = applied(text, before.value, edits.value);
  return raised.ok ? proven(before.value, raised.value, { edits: edits.value, file }) : raised;
}

/** One word of the manifest, by its path. */
interface Edit {
  readonly path: string;
  readonly from: string;
  readonly to: string;
}

function editsFor({ value }: Parsed, { server, tag }: NewVersion): Result<readonly Edit[], string> {
  const words = wordsOf(value, server);
  if (words === null) return err(`no entry is called ${server}`);
  const [version, image] = [words.find(isVersion), words.find((word) => !isVersion(word))];
  const old = image === undefined ? null : parseImage(image.from).tag;
  const raised = version === undefined ? null : inSameForm(version.from, { old: old ?? version.from, tag });
  if (version !== undefined && raised === null) return err(`its version does not come from its tag`);
  const edits = [
    ...(version === undefined || raised === null ? [] : [{ ...version, to: raised }]),
    ...(image === undefined || old === null
      ? []
      : [{ ...image, to: image.from.slice(0, -old.length) + tag }]),
  ];
  return edits.length > 0 ? ok(edits) : err('its entry does not say its version');
}

type Word = Pick<Edit, 'path' | 'from'>;

const isVersion = ({ path }: Word): boolean => path.endsWith('.version');

/** Where an entry of any shape says its version and its image; null: there is no such entry. */
function wordsOf(manifest: unknown, server: string): readonly Word[] | null {
  const servers = isRecord(manifest) && Array.isArray(manifest['servers']) ? manifest['servers'] : [];
  const index = servers.findIndex((entry) => isRecord(entry) && blockOf(entry, 'server')['name'] === server);
  const entry: unknown = servers[index];
  if (!isRecord(entry)) return null;
  const path = `servers[${index}]`;
  const named = isRecord(entry['server']) ? `${path}.server` : path;
  return [
    { path: `${named}.version`, from: blockOf(entry, 'server')['version'] },
    { path: `${path}.docker_image`, from: entry['docker_image'] },
    { path: `${path}.docker.image`, from: isRecord(entry['docker']) ? entry['docker']['image'] : undefined },
  ].filter((word): word is Word => typeof word.from === 'string');
}

/** The nested shape says inside a block what the others say at the top. */
function blockOf(entry: Readonly<Record<string, unknown>>, block: string): Readonly<Record<string, unknown>> {
  const inner = ownValue(entry, block);
  return isRecord(inner) ? inner : entry;
}

/** A version is written like its tag, like that without its `v`, or as the version that the tag stands for. */
function inSameForm(
  version: string,
  { old, tag }: { readonly old: string; readonly tag: string },
): string | null {
  const forms = [(text: string) => text, (text: string) => text.replace(/^v(?=\d)/, ''), versionOfTag];
  return forms.find((form) => form(old) === version)?.(tag) ?? null;
}

/** From the end to the beginning, so that the places of the others still hold. */
function applied(text: string, { places }: Parsed, edits: readonly Edit[]): Result<string, string> {
  let raised = text;
  const spans = edits.map((edit) => ({ ...edit, span: places.get(edit.path)?.span ?? null }));
  for (const { path, from, to, span } of spans.sort((a, b) => (b.span?.[0] ?? 0) - (a.span?.[0] ?? 0))) {
    if (span === null) return err(`${path} is said by an alias`);
    const written = text.slice(...span);
    const quote = /^["']/.exec(written)?.[0] ?? '';
    if (written !== quote + from + quote) return err(`${path} is not written in one plain word`);
    raised = raised.slice(0, span[0]) + quote + to + quote + raised.slice(span[1]);
  }
  return ok(raised);
}

/** What we wrote is read back: these words are changed and nothing else, and the reader takes it. */
function proven(
  before: Parsed,
  text: string,
  { edits, file }: { readonly edits: readonly Edit[]; readonly file: string },
): Result<Uint8Array, string> {
  const content = new TextEncoder().encode(text);
  const after = parseYaml(text, file);
  const changes = after.ok ? differences(before.value, after.value.value, '') : [];
  if (!sameWords(changes, edits)) return err('an alias says it in more places than its own entry');
  const read = readManifest({ content, file });
  return read.ok ? ok(content) : err(`the manifest would be refused then: ${read.error.details.error}`);
}

function differences(before: unknown, after: unknown, path: string): readonly Omit<Edit, 'from'>[] {
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((one, index) => differences(one, after[index], `${path}[${index}]`));
  }
  if (isRecord(before) && isRecord(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) =>
      differences(ownValue(before, key), ownValue(after, key), under(path, key)),
    );
  }
  return Object.is(before, after) ? [] : [{ path, to: String(after) }];
}

function sameWords(changes: readonly Omit<Edit, 'from'>[], edits: readonly Edit[]): boolean {
  const told = (some: typeof changes): string =>
    JSON.stringify(some.map(({ path, to }) => [path, to]).sort());
  return told(changes) === told(edits);
}
