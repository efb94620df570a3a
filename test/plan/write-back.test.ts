import { describe, expect, it } from 'vitest';
import type { DesiredServer } from '../../src/model/desired.ts';
import type { Quarantine, ServerMemory } from '../../src/model/memory.ts';
import { untoldVersion } from '../../src/plan/write-back.ts';
import { blueprint, entry, MINUTE, NOW, serverMemory } from '../support/world.ts';

const REPOSITORY = 'docker.io/liminalcommons/github';
const imageOf = (tag: string): string => `${REPOSITORY}:${tag}`;
const digestOf = (tag: string): string => `sha256:${tag}`;

const told = (change: Partial<DesiredServer> = {}): DesiredServer =>
  entry('github', {
    ...{ strategy: 'semantic', versionRange: '^1.0.0' },
    blueprint: blueprint('github', { image: imageOf('1.0.0') }),
    ...change,
  });
const taken = (change: Partial<DesiredServer> = {}): DesiredServer => told({ autoUpdate: true, ...change });

const runs = (tag: string, change: Partial<ServerMemory> = {}): ServerMemory =>
  serverMemory({
    resolved: { entry: 'entry-github', image: imageOf(tag), imageDigest: digestOf(tag), version: tag },
    stableImages: [digestOf(tag)],
    ...change,
  });

const found = (...tags: readonly string[]): Pick<ServerMemory, 'found'> => ({
  found: Object.fromEntries(
    tags.map((tag) => [digestOf(tag), { at: NOW - MINUTE, version: tag, image: imageOf(tag) }]),
  ),
});

const setAside = (tag: string, gate: Quarantine['gate'] = 'health'): Quarantine => ({
  ...{ spec: `spec-${tag}`, imageDigest: digestOf(tag), version: tag, gate, reason: gate, at: NOW },
});

const tagFor = (server: DesiredServer, memory: ServerMemory): string | null =>
  untoldVersion(server, memory, NOW)?.tag ?? null;

describe('of what was only told of, git is told', () => {
  it('the highest of the range', () => {
    expect(tagFor(told(), runs('1.0.0', found('1.1.0', '1.2.0', '2.0.0')))).toBe('1.2.0');
  });

  it('nothing that is too young, excluded or set aside', () => {
    const memory = runs('1.0.0', found('1.1.0', '1.2.0'));
    expect(tagFor(told({ minAgeSeconds: 61 }), memory)).toBeNull();
    expect(tagFor(told({ exclude: ['1.2.0'] }), memory)).toBe('1.1.0');
    expect(tagFor(told(), { ...memory, quarantined: [setAside('1.2.0')] })).toBe('1.1.0');
  });

  it('nothing below what runs, or below what a commit went back from', () => {
    expect(tagFor(told(), runs('1.2.0', found('1.1.0')))).toBeNull();
    const reverted = { quarantined: [setAside('1.2.0', 'reverted')] };
    expect(tagFor(told(), runs('1.0.0', { ...found('1.1.0', '1.3.0'), ...reverted }))).toBe('1.3.0');
    expect(tagFor(told(), runs('1.0.0', { ...found('1.1.0'), ...reverted }))).toBeNull();
  });

  it('nothing of another image, and nothing that an older program found', () => {
    const elsewhere = { at: 0, version: '1.1.0', image: 'docker.io/other/github:1.1.0' };
    expect(tagFor(told(), runs('1.0.0', { found: { x: elsewhere } }))).toBeNull();
    expect(tagFor(told(), runs('1.0.0', { found: { x: { at: 0, version: '1.1.0' } } }))).toBeNull();
  });

  it('each version once', () => {
    const memory = runs('1.0.0', { ...found('1.1.0'), writtenBack: imageOf('1.1.0') });
    expect(tagFor(told(), memory)).toBeNull();
    expect(tagFor(told(), { ...memory, ...found('1.1.0', '1.2.0') })).toBe('1.2.0');
  });
});

describe('of what is taken by itself, git is told', () => {
  it('what lasted its soak', () => {
    expect(tagFor(taken(), runs('1.1.0'))).toBe('1.1.0');
    expect(tagFor(taken(), runs('1.1.0', { stableImages: [digestOf('1.0.0')] }))).toBeNull();
  });

  it('nothing while a rollout is under way or anything is set aside', () => {
    const rollout = { id: 'r', spec: 's', at: NOW, fromVersion: null };
    expect(tagFor(taken(), runs('1.1.0', { rollout }))).toBeNull();
    expect(tagFor(taken(), runs('1.1.0', { quarantined: [setAside('1.2.0')] }))).toBeNull();
  });

  it('nothing that it says already, nor a lower one', () => {
    expect(tagFor(taken(), runs('1.0.0'))).toBeNull();
    expect(tagFor(taken(), runs('0.9.0'))).toBeNull();
    expect(tagFor(taken(), runs('1.1.0', { writtenBack: imageOf('1.1.0') }))).toBeNull();
  });
});

describe('git is never told', () => {
  const memory = runs('1.1.0', found('1.1.0', '1.2.0'));

  it.each<[string, Partial<DesiredServer>]>([
    ['of what is pinned', { strategy: 'pinned' }],
    ['of what follows a tag', { strategy: 'latest' }],
    ['of what is stopped', { desiredState: 'stopped' }],
    ['of what has nothing to run', { blueprint: null }],
    ['of an entry that has changed since', { entry: 'entry-other' }],
  ])('%s', (_what, change) => {
    expect(tagFor(told(change), memory)).toBeNull();
    expect(tagFor(taken(change), memory)).toBeNull();
  });
});
