import { ownValue } from '../lib/own-value.ts';

/** What mends a mistake that is made inside the image, by what a check found; null where that is not known. */
export const mendingOf = (reason: string): string | null => ownValue(mendings, reason) ?? null;

/** It will not pass by itself: no server that is only slow to start looks so. */
export const isMistake = (reason: string): boolean => mistakes.has(reason);

const mistakes: ReadonlySet<string> = new Set([
  'listens_on_loopback',
  'healthcheck_not_run',
  'no_healthcheck',
]);

const mendings: Readonly<Record<string, string>> = {
  listens_on_loopback: 'make it listen on 0.0.0.0: inside its container it listens on 127.0.0.1',
  healthcheck_not_run:
    'put the command of its HEALTHCHECK into the image, or ask it by health_check.endpoint instead',
  no_healthcheck: 'give the image a HEALTHCHECK, or ask it by health_check.endpoint instead',
  closed: 'look whether it listens on docker.port, and on 0.0.0.0',
  refused: 'look whether it listens on docker.port, and on 0.0.0.0',
};
