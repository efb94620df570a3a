import { describe, expect, it } from 'vitest';
import { repositoryOf } from '../../src/model/spec.ts';
import { resolveServer } from '../../src/manifest/resolve.ts';
import { serverSchema } from '../../src/manifest/schema/server.ts';
import type { ServerEntry } from '../../src/manifest/schema/server.ts';
import { entry, manifestOf, only, resolved } from './support.ts';

describe('resolving an entry', () => {
  it('makes every default explicit', () => {
    expect(only({})).toMatchObject({
      name: 'mcp-server-github',
      namespace: 'github',
      version: '1.0.0',
      transport: 'http',
      desiredState: 'running',
      paused: false,
      prune: true,
      dependsOn: [],
      restartPolicy: 'always',
      autoUpdate: false,
      strategy: 'pinned',
      versionRange: null,
      exclude: [],
      minAgeSeconds: 0,
      rollbackOnFailure: true,
      notificationChannel: null,
      refusal: null,
      settings: {
        version: '1.0.0',
        namespace: 'github',
        transport: 'http',
        path: '/mcp',
        dependsOn: [],
        health: {
          probe: { http: { endpoint: '/health', strict: false } },
          intervalSeconds: 30,
          timeoutSeconds: 5,
          failureThreshold: 3,
          successThreshold: 2,
          suspectIntervalSeconds: 5,
          startPeriodSeconds: 30,
        },
        update: {
          minHealthySeconds: 10,
          healthyDeadlineSeconds: 120,
          soakSeconds: 600,
          drainMinSeconds: 70,
          drainTimeoutSeconds: 300,
        },
        recovery: { enabled: true, maxAttempts: 3, backoffSeconds: [1, 5, 30], slowRetrySeconds: 600 },
      },
      blueprint: {
        server: 'mcp-server-github',
        image: 'docker.io/liminalcommons/mcp-server-github:1.0.0',
        command: [],
        user: null,
        port: 8080,
        hostPort: 0,
        mounts: [],
        networks: ['mcp-network'],
        resources: { cpus: 1, memoryBytes: 512 * 1024 ** 2, pids: 256 },
        readOnlyRoot: false,
        env: {},
        secrets: [],
        restartToken: null,
        order: 'start-first',
        exclusiveBecause: null,
      },
      metadata: {
        description: null,
        repository: null,
        maintainers: [],
        tags: [],
        qualityTier: null,
        tools: [],
      },
    });
  });

  it('fills in the very defaults that the schema promises', () => {
    const minimal = entry() as ServerEntry;
    const explicit = filled(serverSchema, minimal) as ServerEntry;
    expect(Object.keys(explicit).length).toBeGreaterThan(Object.keys(minimal).length + 10);
    expect({ ...resolveServer(explicit), entry: '' }).toEqual({ ...resolveServer(minimal), entry: '' });
  });

  it('keeps the order of the manifest', () => {
    const servers = ['c', 'a', 'b'].map((name) => entry({ name }));
    expect(resolved(manifestOf(servers)).map(({ name }) => name)).toEqual(['c', 'a', 'b']);
  });

  it.each([
    ['x', '1.0.0', 'docker.io/library/x:1.0.0'],
    ['x/y', '1.0.0', 'docker.io/x/y:1.0.0'],
    ['x/y:v1.0.0', undefined, 'docker.io/x/y:v1.0.0'],
    ['docker.io/x/y:1', undefined, 'docker.io/x/y:1'],
    ['index.docker.io/x:1', undefined, 'docker.io/library/x:1'],
    ['GHCR.io/x/y:1', undefined, 'ghcr.io/x/y:1'],
    ['localhost/y:1', undefined, 'localhost/y:1'],
    ['localhost:5000/x/y:1', undefined, 'localhost:5000/x/y:1'],
    [`x/y:1@sha256:${'a'.repeat(64)}`, undefined, `docker.io/x/y@sha256:${'a'.repeat(64)}`],
  ])('the image %s with version %s is %s', (image, version, whole) => {
    const { blueprint } = resolveServer({
      name: 'a',
      docker: { image, port: 80 },
      ...(version ? { version } : {}),
    });
    expect(blueprint?.image).toBe(whole);
    expect(repositoryOf(whole)).not.toContain('@');
  });

  it('reads the version from the tag where none is written, and none where a tag is followed', () => {
    const at = (image: string, differs: object = {}) =>
      resolveServer({ name: 'a', docker: { image, port: 80 }, ...differs });
    expect(at('x/y:v1.2.3-alpine').version).toBe('1.2.3');
    expect(at('x/y:main').version).toBeNull();
    const latest = at('x/y', { version_strategy: 'latest', version: '1.0.0' });
    expect([latest.version, latest.blueprint?.image]).toEqual([null, 'docker.io/x/y:latest']);
    expect(resolveServer({ name: 'a', transport: 'stdio' }).version).toBeNull();
  });

  it('stays inside the range of the version unless another is written', () => {
    expect(only({ version_strategy: 'semantic' }).versionRange).toBe('^1.0.0');
    expect(only({ version_strategy: 'semantic', update: { version_range: '~1.0' } }).versionRange).toBe(
      '~1.0',
    );
    expect(resolveServer({ name: 'a', version_strategy: 'semantic' }).versionRange).toBeNull();
  });

  it('names volumes after their server, but external ones and host paths as they are', () => {
    const volumes = [
      { source: 'data', target: '/data/' },
      { source: 'theirs', target: '/theirs', external: true, read_only: true },
      { source: '/srv//x/', target: '/x', read_only: true },
    ];
    expect(only({ docker: { image: 'x/y', port: 80, volumes } }).blueprint).toMatchObject({
      mounts: [
        {
          kind: 'volume',
          source: 'mcp-server-github_data',
          target: '/data',
          readOnly: false,
          shareable: false,
        },
        { kind: 'volume', source: 'theirs', readOnly: true },
        { kind: 'host-path', source: '/srv/x', target: '/x' },
      ],
      order: 'stop-first',
      exclusiveBecause: 'writable volume data',
    });
  });

  it('says why a server stops first only where nobody asked for it', () => {
    const docker = { image: 'x/y', port: 80, host_port: 8080 };
    expect(only({ docker }).blueprint).toMatchObject({
      order: 'stop-first',
      exclusiveBecause: 'fixed host port 8080',
    });
    const both = { ...docker, volumes: [{ source: 'data', target: '/data' }] };
    expect(only({ docker: both }).blueprint?.exclusiveBecause).toBe(
      'fixed host port 8080, writable volume data',
    );
    expect(only({ docker, update: { order: 'stop-first' } }).blueprint).toMatchObject({
      order: 'stop-first',
      exclusiveBecause: null,
    });
  });

  it('is on mcp-network whatever else is written', () => {
    const networks = ['other', 'mcp-network'];
    expect(only({ docker: { image: 'x/y', port: 80, networks } }).blueprint?.networks).toEqual([
      'mcp-network',
      'other',
    ]);
  });

  it.each([
    ['7340032', 7 * 1024 ** 2],
    ['7340032b', 7 * 1024 ** 2],
    ['7168K', 7 * 1024 ** 2],
    ['2g', 2 * 1024 ** 3],
  ])('reads the memory %s as %i bytes', (memory, bytes) => {
    const docker = { image: 'x/y', port: 80, resources: { memory } };
    expect(only({ docker }).blueprint?.resources.memoryBytes).toBe(bytes);
  });

  it('asks an sse server at /sse, a tcp one by connecting, a docker one by its own check', () => {
    expect(only({ transport: 'sse' }).settings.path).toBe('/sse');
    expect(only({ health_check: { tcp: {} } }).settings.health.probe).toEqual({ tcp: {} });
    expect(only({ health_check: { docker: {} } }).settings.health.probe).toEqual({ docker: {} });
  });

  it('reads the recovery of RFC 0001', () => {
    const recovery = { strategy: 'restart', backoff: { initial_delay: 1, max_delay: 10 }, max_attempts: 5 };
    expect(only({ recovery }).settings.recovery).toEqual({
      enabled: true,
      maxAttempts: 5,
      backoffSeconds: [1, 2, 4, 8, 10],
      slowRetrySeconds: 600,
    });
    expect(only({ recovery: { strategy: 'manual' } }).settings.recovery.enabled).toBe(false);
  });
});

describe('the hash of an entry', () => {
  const hash = (differs: object, top: object = {}) => resolved(manifestOf([entry(differs)], top))[0]?.entry;

  it('changes with what is acted on', () => {
    const differs = [
      {},
      { version: '1.0.1' },
      { restart_token: 'x' },
      { config: { env: { A: '1' } } },
      { update: { soak_seconds: 700 } },
      { desired_state: 'stopped' },
    ];
    expect(new Set(differs.map((one) => hash(one))).size).toBe(differs.length);
    expect(hash({}, { defaults: { prune: false } })).toBe(hash({ prune: false }));
  });

  it('stays with what is only carried', () => {
    const carried = {
      description: 'new',
      tags: ['x'],
      metadata: { a: 1 },
      'x-note': 1,
      tools: [{ name: 't' }],
    };
    expect(hash(carried)).toBe(hash({}));
  });
});

/** The value with every `default` of the schema written out. Of alternatives only the first is. */
function filled(schema: unknown, value: unknown): unknown {
  const { properties, default: fallback } = (schema ?? {}) as { properties?: object; default?: unknown };
  if (value === undefined && fallback !== undefined) return fallback;
  if (properties === undefined) return value;
  const members = Object.entries(properties)
    .filter(([key]) => !['tcp', 'docker', 'backoff'].includes(key) || key in Object(value))
    .map(
      ([key, member]) =>
        [key, filled(member, (value as Record<string, unknown> | undefined)?.[key])] as const,
    )
    .filter(([, member]) => member !== undefined);
  return Object.fromEntries(members);
}
