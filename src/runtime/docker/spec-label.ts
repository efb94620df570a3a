import { ownValue } from '../../lib/own-value.ts';
import type { Spec } from '../../model/spec.ts';
import { isNumber, isObject, isText } from './answers.ts';
import type { Loose } from './answers.ts';

/**
 * Believed as it stands when it is whole and is the one that the digest label names: newer defaults do not apply to it.
 * Anybody can write a label, so every part is looked at before the planner reads it. null: not to be believed.
 */
export function readSpec(text: string, specDigest: string): Spec | null {
  try {
    const spec: unknown = JSON.parse(text);
    return isSpec(spec) && (spec as Spec).digest === specDigest ? (spec as Spec) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

type Check = (value: unknown) => boolean;

const isFlag: Check = (value) => typeof value === 'boolean';
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const textsByName: Check = (value) => isObject(value) && Object.values(value as Loose).every(isText);

/** More members than these are no fault: newer programs write more. */
const objectOf =
  (members: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) &&
    Object.entries(members).every(([name, check]) => check(ownValue(value as Loose, name)));

const isMount = objectOf({ kind: isText, source: isText, target: isText, readOnly: isFlag });

const isSettings = objectOf({
  version: orNull(isText),
  dependsOn: listOf(isText),
  health: objectOf({
    probe: isObject,
    intervalSeconds: isNumber,
    timeoutSeconds: isNumber,
    failureThreshold: isNumber,
    successThreshold: isNumber,
    suspectIntervalSeconds: isNumber,
    startPeriodSeconds: isNumber,
  }),
  update: objectOf({
    minHealthySeconds: isNumber,
    healthyDeadlineSeconds: isNumber,
    soakSeconds: isNumber,
    drainMinSeconds: isNumber,
    drainTimeoutSeconds: isNumber,
  }),
  recovery: objectOf({
    enabled: isFlag,
    maxAttempts: isNumber,
    backoffSeconds: listOf(isNumber),
    slowRetrySeconds: isNumber,
  }),
});

const isSpec = objectOf({
  server: isText,
  image: isText,
  imageDigest: isText,
  digest: isText,
  command: listOf(isText),
  user: orNull(isText),
  port: isNumber,
  hostPort: isNumber,
  mounts: listOf(isMount),
  networks: listOf(isText),
  resources: objectOf({ cpus: isNumber, memoryBytes: isNumber, pids: isNumber }),
  readOnlyRoot: isFlag,
  env: textsByName,
  secrets: listOf(objectOf({ name: isText, version: orNull(isText) })),
  order: isText,
  settings: isSettings,
});
