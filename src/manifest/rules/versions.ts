import { error, told, warning } from '../finding.ts';
import type { Finding } from '../finding.ts';
import { contradicts, parseImage, versionOfTag } from '../image.ts';
import type { Image } from '../image.ts';
import type { Entry } from '../rules.ts';
import type { ServerEntry } from '../schema/server.ts';
import { isInRange, isRange, isStrictSemver } from '../versions.ts';

/** Version, tag, strategy and range must tell one story. */
export function versionRules({ path, entry }: Entry): readonly Finding[] {
  if (entry.docker?.image === undefined) return [];
  const image = parseImage(entry.docker.image);
  const semantic = entry.version_strategy === 'semantic' && image.digest === null;
  return told(imageRule(path, entry, image), ...(semantic ? semanticRules(path, entry, image) : []));
}

function imageRule(path: string, entry: ServerEntry, image: Image): Finding | null {
  if (image.digest !== null) return digestRule(path, entry);
  return image.tag === null ? bareRule(path, entry) : tagRule(path, entry, image.tag);
}

function digestRule(path: string, { version_strategy: strategy = 'pinned' }: ServerEntry): Finding | null {
  if (strategy === 'pinned') return null;
  const message = `a digest never moves: version_strategy ${strategy} has nothing to follow`;
  const advice = 'Write a tag in place of the digest, or version_strategy: pinned.';
  return error(`${path}.docker.image`, message, advice);
}

function bareRule(path: string, { version, version_strategy }: ServerEntry): Finding | null {
  if (version_strategy === 'latest') return null;
  if (version === undefined) {
    const message = 'the image has no tag and there is no `version`';
    return error(`${path}.docker.image`, message, 'Add `version: "1.0.0"`, or a tag.');
  }
  if (!version.includes('+')) return null;
  return error(`${path}.version`, 'a version with `+` cannot be a tag', "Write the image's tag out.");
}

function tagRule(path: string, { version }: ServerEntry, tag: string): Finding | null {
  if (version === undefined || !contradicts(tag, version)) return null;
  const message = `version \`${version}\` and the image's tag \`${tag}\` disagree`;
  return error(`${path}.version`, message, 'Write the image without a tag, or correct one of the two.');
}

function semanticRules(path: string, entry: ServerEntry, { tag }: Image): readonly Finding[] {
  const version = entry.version ?? (tag === null ? null : versionOfTag(tag));
  const range = entry.update?.version_range;
  return told(
    version === null && tag !== null && namelessTag(path, tag),
    version !== null && !isStrictSemver(version) && notSemantic(path, version),
    range !== undefined && !isRange(range) && notRange(path, range),
    range !== undefined &&
      isRange(range) &&
      version !== null &&
      !isInRange(version, range) &&
      besides(path, version),
  );
}

const namelessTag = (path: string, tag: string): Finding =>
  error(
    `${path}.docker.image`,
    `the tag \`${tag}\` names no version`,
    'Add `version: "1.0.0"`, or write such a tag.',
  );

const notSemantic = (path: string, version: string): Finding =>
  error(
    `${path}.version`,
    `\`${version}\` is not a semantic version`,
    'Write three numbers, such as "1.0.0".',
  );

const notRange = (path: string, range: string): Finding =>
  error(
    `${path}.update.version_range`,
    `\`${range}\` is not a range of versions`,
    'Write one such as "^1.0.0".',
  );

const besides = (path: string, version: string): Finding =>
  warning(
    `${path}.update.version_range`,
    `does not hold the version \`${version}\` itself`,
    `It is deployed as written and then left for the range. Meant "^${version}"?`,
  );
