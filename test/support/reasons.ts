import { textOf } from './repository.ts';

/**
 * Every word that a status record may give as its `reason`, read from the code that gives it. Reasons with a number in
 * them (`exited_1`, `status_500`) stand as `exited_N` and `status_N`.
 */
export function knownReasons(): readonly string[] {
  const found = sources.flatMap(([path, pattern]) =>
    [...textOf(path).matchAll(pattern)].map(([, word = '']) => word.replace(/\$\{.*/, 'N')),
  );
  return [...new Set(found)].sort();
}

const sources: readonly (readonly [path: string, pattern: RegExp])[] = [
  ['src/manifest/judge.ts', /'([a-z]+(?:_[a-z]+)+)'/g],
  ['src/manifest/entry.ts', /refusal\(\s*'([a-z_]+)'/g],
  ['src/model/failure.ts', /^ {2}\| '([a-z_]+)'/gm],
  ['src/model/step.ts', /^ {2}\| '([a-z]+(?:_[a-z]+)+|paused)'/gm],
  ['src/plan/decide/about.ts', /[?:] ['`]([a-z]+_[^'`]+)['`]/g],
  ['src/plan/describe/trouble.ts', /['`]([a-z]+(?:_[a-z0-9]+)+)['`]/g],
  ['src/probe/http.ts', /(?:failed\(|reason: )['`]([^'`]+)['`]/g],
  ['src/probe/question.ts', /: '([a-z_]+)',$/gm],
  ['src/probe/docker.ts', /'([a-z]+_[a-z]+)'/g],
  ['src/reconcile/blocked.ts', /reason: '([a-z_]+)'/g],
  ['src/reconcile/admission.ts', /reason: '([a-z_]+)'/g],
];
