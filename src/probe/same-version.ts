/**
 * Whether the reported version is the deployed one; null when either is not known. A leading `v` and build metadata do
 * not count, nor does the variant of an image: `1.4.2-alpine` is deployed where the server itself says `1.4.2`.
 */
export function sameVersion(reported: string | null, deployed: string | null): boolean | null {
  if (reported === null || deployed === null) return null;
  const [said, wanted] = [bare(reported), bare(deployed)];
  return said === wanted || (wanted.startsWith(`${said}-`) && isVariant(wanted.slice(said.length + 1)));
}

const bare = (version: string): string =>
  version
    .trim()
    .replace(/^v(?=\d)/i, '')
    .replace(/\+.*$/, '');

/** A prerelease is another version, a variant the same one in another image. */
const isVariant = (suffix: string): boolean =>
  /^[a-z]/i.test(suffix) &&
  !/^(alpha|beta|rc|pre|dev|next|canary|nightly|snapshot|edge|exp|m\d|a\d|b\d)/i.test(suffix);
