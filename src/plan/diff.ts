import { canonicalJson } from '../lib/digest.ts';
import { ownValue } from '../lib/own-value.ts';
import type { DesiredServer, DesiredState } from '../model/desired.ts';
import type { Blueprint } from '../model/spec.ts';

/** What happens to one server when one manifest takes the place of another. */
export interface Change {
  readonly server: string;
  readonly kind: 'added' | 'removed' | 'replaced' | 'stopped' | 'started' | 'refused' | 'settings';
  /** In words, never a value of the environment: `version 1.0.0 -> 1.1.0`, `env LOG_LEVEL changed`. */
  readonly what: readonly string[];
  readonly effect: string;
}

/** Server by server, in the order of `head`, the removed ones last. Unchanged servers do not appear. */
export function diffDesired(base: DesiredState, head: DesiredState): Change[] {
  const before = new Map(base.servers.map((server) => [server.name, server]));
  const after = new Set(head.servers.map(({ name }) => name));
  const removed = base.servers.filter(({ name }) => !after.has(name));
  return [
    ...head.servers.flatMap((server) => changeOf(before.get(server.name), server) ?? []),
    ...removed.map(removal),
  ];
}

function changeOf(before: DesiredServer | undefined, after: DesiredServer): Change | null {
  if (after.refusal !== null) return refused(before, after, after.refusal.message);
  if (before === undefined) return addition(after);
  const words = [versionWords, stateWords, containerWords, otherWords];
  const what = words.flatMap((wordsOf) => wordsOf(before, after));
  return what.length === 0 ? null : { server: after.name, what, ...effectOf(before, after) };
}

function refused(before: DesiredServer | undefined, after: DesiredServer, message: string): Change | null {
  if (canonicalJson(before?.refusal) === canonicalJson(after.refusal)) return null;
  const effect = 'it is not acted on; what runs of it stays as it is';
  return { server: after.name, kind: 'refused', what: [message], effect };
}

function addition({ name, version, desiredState, blueprint }: DesiredServer): Change {
  const what = [`added${version === null ? '' : `, version ${version}`}`, ...portWords(blueprint)];
  const effect = desiredState === 'running' ? 'it is started' : 'it stays stopped';
  return { server: name, kind: 'added', what, effect };
}

const portWords = (blueprint: Blueprint | null): string[] =>
  blueprint === null || blueprint.hostPort === 0 ? [] : [`on port ${blueprint.hostPort}`];

const removal = ({ name, prune }: DesiredServer): Change => ({
  server: name,
  kind: 'removed',
  what: ['removed'],
  effect: prune
    ? 'it is drained, stopped and removed'
    : 'nothing: it said prune: false, so it is only reported',
});

function effectOf(before: DesiredServer, after: DesiredServer): Pick<Change, 'kind' | 'effect'> {
  if (before.desiredState !== after.desiredState) {
    return after.desiredState === 'stopped'
      ? { kind: 'stopped', effect: 'it is drained and stopped' }
      : { kind: 'started', effect: 'it is started' };
  }
  if (containerWords(before, after).length === 0 || after.desiredState === 'stopped') {
    return { kind: 'settings', effect: 'nothing restarts' };
  }
  return { kind: 'replaced', effect: replacement(after.blueprint) };
}

function replacement(blueprint: Blueprint | null): string {
  if (blueprint?.order !== 'stop-first')
    return 'it is replaced without a break: the new one answers before the old one goes';
  const because = blueprint.exclusiveBecause ?? 'order: stop-first';
  return `it is stopped before the new one starts (${because}), so it does not answer in between`;
}

const versionWords = (before: DesiredServer, after: DesiredServer): string[] =>
  before.version === after.version
    ? []
    : [`version ${before.version ?? 'none'} -> ${after.version ?? 'none'}`];

const stateWords = (before: DesiredServer, after: DesiredServer): string[] =>
  before.desiredState === after.desiredState
    ? []
    : [`desired_state ${before.desiredState} -> ${after.desiredState}`];

/** Words for what makes the container: any of them replaces it. */
function containerWords({ blueprint: before }: DesiredServer, { blueprint: after }: DesiredServer): string[] {
  if (before === null || after === null) return before === after ? [] : ['docker'];
  const { image, env, secrets, exclusiveBecause: _was, ...own } = before;
  const { image: newImage, env: newEnv, secrets: newSecrets, exclusiveBecause: _is, ...newOwn } = after;
  return [
    ...(image === newImage ? [] : [`image ${image} -> ${newImage}`]),
    ...keyWords('env', env, newEnv),
    ...keyWords('secret', byName(secrets), byName(newSecrets)),
    ...Object.keys(newOwn)
      .filter(
        (key) =>
          canonicalJson(own[key as keyof typeof own]) !== canonicalJson(newOwn[key as keyof typeof own]),
      )
      .map((key) => `${snake(key)} changed`),
  ];
}

const byName = (secrets: Blueprint['secrets']): Record<string, string> =>
  Object.fromEntries(secrets.map(({ name, required }) => [name, String(required)]));

/** Names only: what they stand for is nobody's business here. */
function keyWords(
  what: string,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) => {
    if (!Object.hasOwn(before, name)) return [`${what} ${name} added`];
    if (!Object.hasOwn(after, name)) return [`${what} ${name} removed`];
    return ownValue(before, name) === ownValue(after, name) ? [] : [`${what} ${name} changed`];
  });
}

/** Words for what travels with a container and restarts nothing. */
function otherWords(before: DesiredServer, after: DesiredServer): string[] {
  const was = carried(before);
  const is = carried(after);
  return Object.keys(is)
    .filter((key) => canonicalJson(ownValue(was, key)) !== canonicalJson(ownValue(is, key)))
    .map((key) => `${snake(key)} changed`);
}

/** By the names of the manifest; what other words tell is left out. */
function carried(server: DesiredServer): Record<string, unknown> {
  const {
    entry: _e,
    blueprint: _b,
    version: _v,
    desiredState: _d,
    refusal: _r,
    settings,
    metadata,
    ...own
  } = server;
  const { version: _sv, namespace: _n, transport: _t, dependsOn: _s, health, ...rest } = settings;
  return { ...own, ...metadata, ...rest, healthCheck: health };
}

const snake = (key: string): string => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
