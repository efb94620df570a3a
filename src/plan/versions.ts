import { compare, parse, Range, satisfies, type SemVer } from 'semver';

export interface VersionQuestion {
  readonly strategy: 'pinned' | 'semantic' | 'latest';
  /** The tag that is deployed or asked for; null: none. */
  readonly current: string | null;
  /** semver range; null: `^<current>`. */
  readonly versionRange: string | null;
  /** Tags, versions or semver ranges that are not wanted. */
  readonly exclude: readonly string[];
  readonly tags: readonly string[];
}

/**
 * The tag to go to, or null when there is nothing better than the present one (contracts section 2): strict semver of
 * the same family, no prerelease unless the range names one, never a downgrade. Only the semantic strategy chooses
 * versions; the others follow one tag.
 */
export function chooseVersion({
  strategy,
  current,
  versionRange,
  exclude,
  tags,
}: VersionQuestion): string | null {
  const from = strategy === 'semantic' && current !== null ? readTag(current) : null;
  const range = from === null ? null : readRange(versionRange ?? `^${from.version.version}`);
  if (from === null || range === null) return null;
  return (
    tags
      .flatMap((text) => readTag(text) ?? [])
      .filter((tag) => tag.family === from.family && compare(tag.version, from.version) > 0)
      .filter((tag) => range.test(tag.version) && !isExcluded(tag, exclude))
      .reduce<Tag | null>(
        (best, tag) => (best !== null && compare(best.version, tag.version) >= 0 ? best : tag),
        null,
      )?.text ?? null
  );
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

/** A range written with the family's own words (`^v1.0.0`, `^1.0.0-alpine`) means the version in it. */
function readRange(text: string): Range | null {
  const bare = text.replace(
    /v?\d+\.\d+\.\d+-[a-z0-9._-]+/gi,
    (word) => readTag(word)?.version.version ?? word,
  );
  try {
    return new Range(bare);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

const isExcluded = ({ text, version }: Tag, exclude: readonly string[]): boolean =>
  exclude.some((unwanted) => unwanted === text || satisfies(version, unwanted, { includePrerelease: true }));
