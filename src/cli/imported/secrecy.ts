/** By its name it holds a secret. A word too many costs a note, a word too few a password in git. */
export const namesSecret = (name: string): boolean =>
  /key|token|secret|passw|passphrase|pwd|credential|bearer|(^|[-_.])(auth|pat)([-_.]|$)/i.test(name);

/** By its looks it is a secret: a URL with a password in it, a header that authorises, a token of a known make. */
export const isSecretValue = (value: string): boolean => looks.some((look) => look.test(value));

const looks: readonly RegExp[] = [
  /:\/\/[^/\s@:]*:[^/\s@]+@/,
  /\b(bearer|basic)\s+\S{6,}/i,
  /\bauthorization\s*[:=]/i,
  /^(gh[a-z]_|github_pat_|sk-|xox[a-z]-|glpat-|npm_|AKIA|ya29\.|eyJ[\w-]+\.)/,
  /-----BEGIN /,
];

/** Something that another program fills in: `{{fetch.path}}`, `${input:path}`, `{tenant}`. */
export const holdsTemplate = (text: string): boolean =>
  /\{\{[^{}]*\}\}|\$\{[^{}]*\}|\{[A-Za-z_][\w.-]*\}/.test(text);

/** `--api-key` -> `API_KEY`: the variable that a server most likely reads in its place. */
export const variableFor = (flag: string): string =>
  flag
    .replace(/^-+/, '')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^(?=\d)/, '_')
    .toUpperCase();
