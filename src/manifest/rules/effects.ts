import { told, warning } from '../finding.ts';
import type { Finding } from '../finding.ts';
import type { Entry } from '../rules.ts';
import type { ServerEntry } from '../schema/server.ts';
import { recoveryOf } from '../timings.ts';

/** Keys that are read and change nothing. */
export function effectRules({ path, entry }: Entry): readonly Finding[] {
  return [
    ...strategy(path, entry),
    ...health(`${path}.health_check`, entry),
    ...recovery(`${path}.recovery`, entry),
  ];
}

function strategy(path: string, entry: ServerEntry): readonly Finding[] {
  const chosen = entry.version_strategy ?? 'pinned';
  const beside = `version_strategy ${chosen}`;
  return [
    ...(chosen === 'semantic'
      ? []
      : idle(`${path}.update`, entry.update, ['version_range', 'exclude'], beside)),
    ...(chosen === 'pinned' ? idle(`${path}.update`, entry.update, ['min_age_seconds'], beside) : []),
    ...(chosen === 'pinned' && entry.auto_update === true ? idle(path, entry, ['auto_update'], beside) : []),
    ...(chosen === 'latest' ? idle(path, entry, ['version'], beside) : []),
  ];
}

function health(path: string, { health_check: check = {} }: ServerEntry): readonly Finding[] {
  const probe = ['tcp', 'docker'].find((key) => Object.hasOwn(check, key));
  return probe === undefined ? [] : idle(path, check, ['strict'], probe);
}

function recovery(path: string, entry: ServerEntry): readonly Finding[] {
  const { recovery: block = {} } = entry;
  const counts = ['max_attempts', 'backoff_seconds', 'backoff', 'slow_retry_seconds'];
  const advice = 'Recovery restarts twice and then recreates, whatever is written here.';
  return [
    ...(recoveryOf(entry).enabled ? [] : idle(path, block, counts, 'recovery switched off')),
    ...told(
      block.strategy === 'recreate' && warning(`${path}.strategy`, '`recreate` alone has no effect', advice),
    ),
  ];
}

function idle(
  path: string,
  block: object | undefined,
  keys: readonly string[],
  beside: string,
): readonly Finding[] {
  return keys
    .filter((key) => Object.hasOwn(block ?? {}, key))
    .map((key) =>
      warning(`${path}.${key}`, `has no effect with ${beside}`, 'Remove it, or change the other.'),
    );
}
