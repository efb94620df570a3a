import { compare, parse, Range, type SemVer } from 'semver';

export interface VersionQuestion {
  readonly strategy: 'pinned' | 'semantic' | 'latest';
  /** The tag that is deployed or asked for; null: none. */
  readonly current: string | null;
  /** Versions that are left behind: nothing at or below any of them. */
  readonly above: readonly string[];
  /** semver range; null: `^<current>`. */
  readonly versionRange: string | null;
  /** Tags, versions or semver ranges that are not wanted. */
  readonly exclude: readonly string[];
  readonly tags: readonly string[];
}

/**
 * The tags to go to, the best first (contracts section 2): strict semver of the same family, no prerelease unless the
 * range names one, never a downgrade. Only the semantic strategy chooses versions; the others follow one tag.
 */
export function newerVersions(question: VersionQuestion): readonly string[] {
  const { strategy, current, versionRange, above, exclude, tags } = question;
  const from = strategy === 'semantic' && current !== null ? readTag(current) : null;
  const range = from === null ? null : readRange(versionRange ?? `^${from.version.version}`);
  if (from === null || range === null) return [];
  const floors = [from, ...above.flatMap((text) => readTag(text) ?? [])];
  const unwanted = exclude.flatMap((text) => readRange(text, { includePrerelease: true }) ?? []);
  return tags
    .flatMap((text) => readTag(text) ?? [])
    .filter((tag) => tag.family === from.family && range.test(tag.version) && !exclude.includes(tag.text))
    .filter(({ version }) => floors.every((floor) => compare(version, floor.version) > 0))
    .filter(({ version }) => !unwanted.some((one) => one.test(version)))
    .sort((a, b) => compare(b.version, a.version))
    .map(({ text }) => text);
}

/** Both are versions of one family, and the first is the older one. */
export function isOlder(tag: string, than: string): boolean {
  const [first, second] = [readTag(tag), readTag(than)];
  if (first === null || second === null || first.family !== second.family) return false;
  return compare(first.version, second.version) < 0;
}

interface Tag {
  readonly text: string;
  readonly version: SemVer;
  /** Tags of different families are different products: `v`, `-alpine`, and years are not versions. */
  readonly family: string;
}

const prereleaseWords =
  'alpha|beta|rc|pre|preview|prerelease|dev|develop|next|canary|nightly|snapshot|edge|exp|unstable|milestone|ea|m|a|b';

/** `v` + `1.2.3` + `-rc.1` + `-alpine3.20`; what is not exactly so is no version (`1.10`, `168`, `latest`, `3.14.0a2`). */
const form = new RegExp(
  String.raw`^(?<prefix>v?)(?<core>\d+\.\d+\.\d+)(?:-(?<pre>(?:(?:${prereleaseWords})(?:[.-]?\d+)*|\d+(?:\.\d+)*)))?(?<variant>-[a-z0-9._-]+)?$`,
  'i',
);

/** Majors from here on are years. */
const FIRST_YEAR = 1900;

function readTag(text: string): Tag | null {
  const { prefix = '', core = '', pre, variant = '' } = form.exec(text)?.groups ?? {};
  const version = parse(pre === undefined ? core : `${core}-${ordered(pre)}`);
  if (version === null) return null;
  const calendar = version.major >= FIRST_YEAR ? 'calendar' : '';
  return { text, version, family: [prefix.toLowerCase(), variant.toLowerCase(), calendar].join(' ') };
}

/** `rc10` -> `rc.10`: semver compares numbers as numbers only where they stand alone. */
const ordered = (pre: string): string =>
  pre
    .toLowerCase()
    .replace(/([a-z])[.-]?(?=\d)/g, '$1.')
    .replaceAll('-', '.');

/** A range written with the family's own words (`^v1.0.0`, `^1.0.0-alpine`, `<=2.0.0-rc1`) means the version in it. */
function readRange(text: string, options: { readonly includePrerelease?: boolean } = {}): Range | null {
  const bare = text.replace(
    /v?\d+\.\d+\.\d+-[a-z0-9._-]+/gi,
    (word) => readTag(word)?.version.version ?? word,
  );
  try {
    return new Range(bare, options);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}
