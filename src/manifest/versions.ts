import semver from 'semver';

/** A version by the strict rules of semver.org; `v1.0.0` and `1.0` are none. */
export const isStrictSemver = (version: string): boolean =>
  /^\d/.test(version) && semver.valid(version, { loose: false }) === version.split('+')[0];

export const isRange = (range: string): boolean => semver.validRange(range) !== null;

export const isInRange = (version: string, range: string): boolean => semver.satisfies(version, range);
