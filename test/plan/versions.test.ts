import fc from 'fast-check';
import { compare, valid } from 'semver';
import { describe, expect, it } from 'vitest';
import { newerVersions, type VersionQuestion } from '../../src/plan/versions.ts';

const choose = (current: string | null, tags: readonly string[], more: Partial<VersionQuestion> = {}) =>
  newerVersions({
    ...{ strategy: 'semantic', current, versionRange: null, above: [], exclude: [], tags },
    ...more,
  })[0] ?? null;

/** Tags as these images really have them, shortened; the oddities are all there. */
const images = {
  postgres: [
    'latest',
    '18beta1',
    '17',
    '17.2',
    '17.2-alpine',
    '17.2-bookworm',
    '16.6-alpine3.20',
    '9.6.24',
    '9.6.24-alpine',
    '9.6.9',
    '9.5.25',
    'alpine',
  ],
  node: [
    'lts',
    'current',
    '23.3.0',
    '23.3.0-alpine',
    '22.12.0',
    '22.12.0-alpine',
    '22.12.0-alpine3.20',
    '22.12.0-alpine3.21',
    '22.12.0-bookworm-slim',
    '22.11.0',
    '22.9.0',
    '22',
    '22-alpine',
    '20.18.1',
    'iron-slim',
  ],
  redis: [
    '8.0-M02',
    '8.0-rc1-alpine',
    '8.0.0-rc1',
    '7.4.1',
    '7.4.1-alpine',
    '7.4.10',
    '7.4-rc2',
    '7.2.6-bookworm',
    '7',
    'bookworm',
    '6.2.16',
    '32bit',
  ],
  n8n: [
    'latest',
    'next',
    'nightly',
    'ai-beta',
    '2.0.0-rc.2',
    '1.72.0',
    '1.72.0-exp.0',
    '1.71.1',
    '1.71.1-arm64',
    '1.9.0',
    '0.236.3',
    '168',
  ],
  grafana: [
    'latest',
    'latest-ubuntu',
    'main',
    'main-ubuntu',
    '12.0.0-security-01',
    '11.5.0-81312',
    '11.4.0',
    '11.4.0-ubuntu',
    '11.3.1',
    '11.3.1-ubuntu',
    '11.4.0-preview',
    '9.5.21',
  ],
  traefik: [
    'mimolette',
    'v3.3.0-rc1',
    'v3.2.1',
    'v3.2.1-windowsservercore-1809',
    '3.2.1',
    '3.2.9',
    'v3.2.10',
    'v2.11.14',
    'v3.2',
    'v3',
  ],
  homeAssistant: [
    'stable',
    'dev',
    '2024.12.0b5',
    '2024.12.0',
    '2024.11.3',
    '2024.9.1',
    '0.118.5',
    '2024.12.0.dev20241120',
  ],
  jenkins: ['lts', '2.487', '2.479.2-lts', '2.479.1-lts', '2.479.2-lts-jdk17', '2.479.2', '2.490.1'],
  minio: ['latest', 'RELEASE.2024-11-07T00-52-20Z', 'edge'],
  nginx: [
    'mainline',
    'stable',
    '1.27.3',
    '1.27.3-alpine',
    '1.27.3-alpine-slim',
    '1.27.3-perl',
    '1.26.2',
    '1.10',
    '1.27',
  ],
  ubuntu: ['24.04', 'noble-20241118.1', '24.10', 'rolling', '20241118'],
  python: [
    '3.14.0a2',
    '3.14.0a2-slim',
    '3.13.1',
    '3.13.1-slim-bookworm',
    '3.13.0rc3',
    '3.13.0',
    '3.12.8',
    '3',
  ],
  gitea: ['1.23.0-rc0', '1.22.4', '1.22.4-rootless', '1.22-dev', '1.22.3', '1.21.11'],
  wordpress: [
    '6.7.1',
    '6.7.1-php8.2-fpm-alpine',
    '6.7.2-php8.3-fpm-alpine',
    'beta-6.7-RC3',
    '6.8.0',
    'cli-2.11.0',
  ],
  dates: [
    '20241118',
    '2024-11-18',
    '20241118.1.0',
    '2024.11.18',
    '1.4.2',
    '1.4.1',
    '168.0',
    'sha-1f2e3d4',
    '1.5.0_arm',
  ],
} as const;

describe('the version to go to', () => {
  it.each([
    ['postgres', '17.2', null],
    ['postgres', '17', null],
    ['postgres', '9.6.9', '9.6.24'],
    ['postgres', '9.6.9-alpine', '9.6.24-alpine'],
    ['node', '22.9.0', '22.12.0'],
    ['node', '22.9.0-alpine', '22.12.0-alpine'],
    ['node', '22.11.0-alpine3.20', '22.12.0-alpine3.20'],
    ['node', '22.11.0-bookworm', null],
    ['node', '22.12.0', null],
    ['redis', '7.4.1', '7.4.10'],
    ['redis', '7.4.0-alpine', '7.4.1-alpine'],
    ['n8n', '1.9.0', '1.72.0'],
    ['n8n', '1.73.0', null],
    ['n8n', 'latest', null],
    ['n8n', '168', null],
    ['grafana', '11.3.0', '11.4.0'],
    ['grafana', '11.3.0-ubuntu', '11.4.0-ubuntu'],
    ['traefik', 'v3.2.1', 'v3.2.10'],
    ['traefik', '3.2.1', '3.2.9'],
    ['homeAssistant', '2024.9.1', '2024.12.0'],
    ['homeAssistant', '0.118.0', '0.118.5'],
    ['jenkins', '2.479.1-lts', '2.479.2-lts'],
    ['jenkins', '2.479.1', '2.490.1'],
    ['minio', 'RELEASE.2024-10-02T17-50-41Z', null],
    ['nginx', '1.26.0', '1.27.3'],
    ['nginx', '1.26.0-alpine', '1.27.3-alpine'],
    ['nginx', '1.10', null],
    ['ubuntu', '24.04', null],
    ['python', '3.13.0', '3.13.1'],
    ['gitea', '1.21.11', '1.22.4'],
    ['gitea', '1.21.11-rootless', '1.22.4-rootless'],
    ['wordpress', '6.7.0-php8.2-fpm-alpine', '6.7.1-php8.2-fpm-alpine'],
    ['dates', '1.4.1', '1.4.2'],
  ] as const)('of %s from %s is %s', (image, current, version) => {
    expect(choose(current, images[image])).toBe(version);
  });

  it.each([
    ['redis', '7.4.1', '>=7', '7.4.10'],
    ['redis', '7.4.1', '>=8.0.0-0', '8.0.0-rc1'],
    ['redis', '7.4.1', '~7.4.1', '7.4.10'],
    ['n8n', '1.71.1', '>=2.0.0-rc.1', '2.0.0-rc.2'],
    ['n8n', '1.9.0', '1.71.x', '1.71.1'],
    ['n8n', '1.9.0', '<1.9.0', null],
    ['n8n', '1.9.0', 'newest please', null],
    ['grafana', '9.5.21', '*', '11.4.0'],
    ['dates', '1.4.1', '>=1.0.0', '1.4.2'],
    ['homeAssistant', '0.118.0', '>=0.1.0', '0.118.5'],
    ['traefik', 'v2.11.14', '^v3.0.0', 'v3.2.10'],
    ['node', '22.9.0-alpine', '^22.0.0-alpine', '22.12.0-alpine'],
  ] as const)('of %s from %s inside %s is %s', (image, current, versionRange, version) => {
    expect(choose(current, images[image], { versionRange })).toBe(version);
  });

  it('is a prerelease only where the range, or the present one, is', () => {
    const tags = ['2.0.0-rc1', '2.0.0-rc9', '2.0.0-rc10', '2.1.0-beta.1', '2.0.0-rc11-alpine'];
    expect(choose('1.9.0', tags, { versionRange: '>=1' })).toBeNull();
    expect(choose('2.0.0-rc1', tags)).toBe('2.0.0-rc10');
    expect(choose('2.0.0-rc1', [...tags, '2.0.0'])).toBe('2.0.0');
    expect(choose('2.0.0-rc1-alpine', tags)).toBe('2.0.0-rc11-alpine');
  });

  it('is none that is excluded, by tag, by version or by range', () => {
    const tags = ['v1.4.0', 'v1.4.1', 'v1.5.0'];
    expect(choose('v1.3.0', tags, { exclude: ['v1.5.0'] })).toBe('v1.4.1');
    expect(choose('v1.3.0', tags, { exclude: ['1.5.0', '1.4.1'] })).toBe('v1.4.0');
    expect(choose('v1.3.0', tags, { exclude: ['>=1.4.0'] })).toBeNull();
    expect(choose('v1.3.0', tags, { exclude: ['not a version'] })).toBe('v1.5.0');
  });

  it('is above all that was run or left, written as their tags are', () => {
    const tags = ['2.0.0-rc1', '2.0.0-rc2', '2.0.0-rc10', '2.0.0-rc9'];
    expect(choose('2.0.0-rc1', tags, { above: ['2.0.0-rc2'] })).toBe('2.0.0-rc10');
    expect(choose('2.0.0-rc1', tags, { above: ['2.0.0-rc.10'] })).toBeNull();
    expect(choose('2.0.0-rc1', tags, { exclude: ['>=2.0.0-rc9'] })).toBe('2.0.0-rc2');
  });

  it('comes with all the others that would do, the best first', () => {
    const tags = ['1.1.0', '1.10.0', '0.9.0', '1.2.0'];
    const question = { strategy: 'semantic', versionRange: null, exclude: [], above: ['1.1.0'] } as const;
    expect(newerVersions({ ...question, current: '1.0.0', tags })).toEqual(['1.10.0', '1.2.0']);
  });

  it('is nothing where another strategy follows the tag itself', () => {
    for (const strategy of ['pinned', 'latest'] as const) {
      expect(choose('1.0.0', ['1.1.0'], { strategy })).toBeNull();
    }
    expect(choose(null, ['1.1.0'])).toBeNull();
  });

  it('is never lower, never of another family, whatever tags there are', () => {
    const part = fc.nat({ max: 30 });
    const tag = fc
      .tuple(
        fc.constantFrom('', 'v'),
        part,
        part,
        part,
        fc.constantFrom('', '-alpine', '-rc1', '-0', '.1', '-slim'),
      )
      .map(([v, a, b, c, suffix]) => `${v}${a}.${b}.${c}${suffix}`);
    fc.assert(
      fc.property(
        tag,
        fc.array(tag),
        fc.constantFrom(null, '*', '>=0.0.0-0', '~3'),
        (current, tags, versionRange) => {
          const chosen = choose(current, tags, { versionRange });
          if (chosen === null) return;
          expect(tags).toContain(chosen);
          expect(chosen.startsWith('v')).toBe(current.startsWith('v'));
          expect(chosen.endsWith('-alpine')).toBe(current.endsWith('-alpine'));
          const core = (text: string) => valid(text.replace(/-(alpine|slim)$/, '')) ?? '';
          expect(compare(core(chosen), core(current))).toBe(1);
        },
      ),
    );
  });
});
