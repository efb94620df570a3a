import { describe, expect, it } from 'vitest';
import { entry, manifestOf, told, toldOf } from './support.ts';

const named = (name: string, differs: object = {}) =>
  entry({ name, docker: { image: 'liminalcommons/x', port: 80 }, ...differs });

describe('names', () => {
  it('are told of although the entries are broken in other ways', () => {
    const broken = { name: 'a', docker: { prot: 1 } };
    expect(told(manifestOf([broken, broken]))).toContain(
      'error servers[1].name: the name `a` is taken by servers[0]',
    );
  });

  it('belong to one server each', () => {
    expect(told(manifestOf([named('a'), named('a', { namespace: 'b' })]))).toEqual([
      'error servers[1].name: the name `a` is taken by servers[0]',
    ]);
  });

  it('and namespaces, the implied ones too', () => {
    expect(told(manifestOf([named('mcp-server-a'), named('b', { namespace: 'a' })]))).toEqual([
      'error servers[1].namespace: the namespace `a` is taken by servers[0] (mcp-server-a)',
    ]);
  });

  it('cannot be the namespace of another: both are ids of the status', () => {
    expect(told(manifestOf([named('a', { namespace: 'x' }), named('b', { namespace: 'a' })]))).toEqual([
      'error servers[1].namespace: the namespace `a` is the name of servers[0]',
    ]);
  });

  it('a fixed host port too, but any number may leave the choice to us', () => {
    const at = (host_port: number) => ({ docker: { image: 'x/y', port: 80, host_port } });
    expect(
      told(manifestOf([named('a', at(8080)), named('b', at(8080)), named('c', at(0)), named('d', at(0))])),
    ).toEqual(['error servers[1].docker.host_port: the docker.host_port `8080` is taken by servers[0] (a)']);
  });

  it('an empty list is no mistake but a surprise', () => {
    expect(told(manifestOf([]))).toEqual(['warning servers: no server is listed']);
  });
});

describe('dependencies', () => {
  it('must be there', () => {
    expect(told(manifestOf([named('abcd'), named('b', { depends_on: ['abcf'] })]))).toEqual([
      'error servers[1].depends_on[0]: no server is named `abcf`',
    ]);
  });

  it('must not go in a circle, which is named once', () => {
    const circle = [
      named('a', { depends_on: ['b'] }),
      named('b', { depends_on: ['d', 'c'] }),
      named('c', { depends_on: ['a'] }),
      named('d'),
    ];
    expect(told(manifestOf(circle))).toEqual([
      'error servers[0].depends_on: the dependencies go in a circle: a -> b -> c -> a',
    ]);
  });

  it('must not be the server itself', () => {
    expect(told(manifestOf([named('a', { depends_on: ['a'] })]))[0]).toContain('a -> a');
  });

  it('may be shared by many, and be thousands deep', () => {
    const chain = Array.from({ length: 3_000 }, (_, n) =>
      named(`s${n}`, n === 0 ? {} : { depends_on: [`s${n - 1}`, 's0'] }),
    );
    expect(told(manifestOf(chain))).toEqual([]);
  });

  it('that are never ready are pointed out', () => {
    const servers = [
      named('a', { desired_state: 'stopped' }),
      { name: 'b', transport: 'stdio' },
      named('c', { depends_on: ['a', 'b'] }),
    ];
    expect(told(manifestOf(servers))).toEqual([
      'warning servers[1]: a stdio server cannot be reached over the network',
      'warning servers[2].depends_on[0]: `a` is to be stopped: what depends on it is never promoted',
      'warning servers[2].depends_on[1]: `b` cannot be deployed: what depends on it is never promoted',
    ]);
  });
});

const image = (image: string, differs: object = {}) => ({ docker: { image, port: 80 }, ...differs });
const DIGEST = `sha256:${'0'.repeat(64)}`;

describe('versions', () => {
  it.each([
    ['x/a:1.0.0', '1.0.0'],
    ['x/a:v1.0.0', '1.0.0'],
    ['x/a:1.0.0-alpine', '1.0.0'],
    ['x/a:1.0.0-rc.1-alpine', '1.0.0-rc.1'],
    ['x/a:latest', '1.0.0'],
    ['x/a:main', '1.0.0'],
    [`x/a@${DIGEST}`, '1.0.0'],
    [`x/a:1.0.0@${DIGEST}`, '1.0.0'],
  ])('the image %s and the version %s agree', (reference, version) => {
    expect(toldOf(image(reference, { version }))).toEqual([]);
  });

  it.each([
    ['x/a:1.0.1', '1.0.0'],
    ['x/a:1.0', '1.0.0'],
    ['x/a:1.0.0-rc.1', '1.0.0'],
  ])('the image %s and the version %s do not', (reference, version) => {
    expect(toldOf(image(reference, { version }))[0]).toContain('disagree');
  });

  it('an image without tag needs a version that can be one', () => {
    expect(told(manifestOf([{ name: 'a', docker: { image: 'x/a', port: 80 } }]))).toEqual([
      'error servers[0].docker.image: the image has no tag and there is no `version`',
    ]);
    expect(toldOf({ version: '1.0.0+build' })).toEqual([
      'error servers[0].version: a version with `+` cannot be a tag',
    ]);
    expect(
      told(manifestOf([{ name: 'a', version_strategy: 'latest', docker: { image: 'x/a', port: 80 } }])),
    ).toEqual([]);
  });

  it('a digest has nothing to follow', () => {
    expect(toldOf(image(`x/a@${DIGEST}`, { version_strategy: 'semantic' }))[0]).toContain(
      'a digest never moves',
    );
  });

  it.each([
    [{ version: '1.0' }, '`1.0` is not a semantic version'],
    [{ version: 'v1.0.0' }, '`v1.0.0` is not a semantic version'],
    [{ update: { version_range: 'about one' } }, '`about one` is not a range of versions'],
    [{ update: { version_range: '^2.0.0' } }, 'does not hold the version `1.0.0` itself'],
  ])('semantic with %j', (differs, message) => {
    expect(toldOf({ version_strategy: 'semantic', ...differs })[0]).toContain(message);
  });

  it('semantic needs a version in the entry or in the tag', () => {
    const bare = (reference: string) => ({ name: 'a', version_strategy: 'semantic', ...image(reference) });
    expect(told(manifestOf([bare('x/a:stable')]))[0]).toContain('the tag `stable` names no version');
    expect(told(manifestOf([bare('x/a:v1.2.3')]))).toEqual([]);
    expect(toldOf({ version_strategy: 'semantic', update: { version_range: '^1.0.0' } })).toEqual([]);
  });
});

describe('containers', () => {
  const docker = (differs: object) => ({ docker: { image: 'x/a', port: 80, ...differs } });

  it('need an image and a port', () => {
    expect(toldOf({ docker: {} })).toEqual([
      'error servers[0].docker: `image` is missing',
      'error servers[0].docker: `port` is missing',
    ]);
  });

  it('that cannot run twice cannot start first', () => {
    const update = { update: { order: 'start-first' } };
    expect(toldOf({ ...docker({ host_port: 9 }), ...update })[0]).toContain(
      'two copies cannot run at once (fixed host port 9)',
    );
    const volume = { volumes: [{ source: 'data', target: '/data' }] };
    expect(toldOf({ ...docker(volume), ...update })[0]).toContain('(writable volume data)');
    const shared = { volumes: [{ source: 'data', target: '/data', shareable: true }] };
    expect(toldOf({ ...docker(shared), ...update })).toEqual([]);
  });

  it.each([
    [
      {
        volumes: [
          { source: 'a', target: '/x' },
          { source: 'b', target: '/x' },
        ],
      },
      'two volumes at `/x`',
    ],
    [{ volumes: [{ source: '/a/../b', target: '/x' }] }, 'has `.` or `..` in it'],
    [{ volumes: [{ source: 'a', target: '/x/./y' }] }, 'has `.` or `..` in it'],
    [{ volumes: [{ source: '/a', target: '/x', external: true }] }, 'a host path is no volume'],
    [{ networks: ['mcp-network-live'] }, '`mcp-network-live` is joined by promotion alone'],
    [{ resources: { memory: '512' } }, '`512` is less than an engine accepts (6m)'],
  ])('%j is refused', (differs, message) => {
    expect(toldOf(docker(differs))[0]).toContain(message);
  });

  it('take each variable from one place', () => {
    const config = {
      env: { A: 'x' },
      secrets: [{ name: 'A' }, { name: 'B' }, { name: 'B', required: false }],
    };
    expect(toldOf({ config })).toEqual([
      'error servers[0].config.secrets[0]: `A` is set twice',
      'error servers[0].config.secrets[2]: `B` is set twice',
    ]);
  });
});

describe('deadlines', () => {
  it.each([
    [{ health_check: { endpoint: '/h', tcp: {} } }, 'error', 'endpoint and tcp are alternatives'],
    [
      { health_check: { timeout_seconds: 40 } },
      'error',
      'a check may last 40 s but the next one begins after 30 s',
    ],
    [{ health_check: { timeout_seconds: 6 } }, 'warning', 'longer than suspect_interval_seconds (5 s)'],
    [{ health_check: { suspect_interval_seconds: 60 } }, 'warning', 'longer than interval_seconds (30 s)'],
    [{ health_check: { start_period_seconds: 120 } }, 'error', 'the deadline always passes first'],
    [{ update: { min_healthy_seconds: 120 } }, 'error', 'no version could be promoted in time'],
    [{ update: { soak_seconds: 39 } }, 'warning', 'before a failure would be noticed (40 s)'],
    [{ update: { drain_timeout_seconds: 60 } }, 'error', 'is below drain_min_seconds (70 s)'],
    [
      { recovery: { backoff: {}, backoff_seconds: [1] } },
      'error',
      'backoff and backoff_seconds are alternatives',
    ],
    [{ recovery: { backoff: { initial_delay: 9, max_delay: 3 } } }, 'error', 'is below initial_delay (9 s)'],
    [{ recovery: { slow_retry_seconds: 29 } }, 'warning', 'would come sooner than the last attempt (30 s)'],
    [{ recovery: { max_attempts: 1, backoff_seconds: [1, 2] } }, 'warning', '2 waits for 1 attempts'],
  ])('%j', (differs, severity, message) => {
    const [first] = toldOf(differs);
    expect(first).toContain(message);
    expect(first).toMatch(new RegExp(`^${severity} servers\\[0\\]\\.`));
  });
});

describe('keys without effect', () => {
  it.each([
    [
      { update: { version_range: '^1.0.0' } },
      'update.version_range: has no effect with version_strategy pinned',
    ],
    [{ update: { exclude: ['1.0.1'] } }, 'update.exclude: has no effect with version_strategy pinned'],
    [
      { update: { min_age_seconds: 1 } },
      'update.min_age_seconds: has no effect with version_strategy pinned',
    ],
    [{ auto_update: true }, 'auto_update: has no effect with version_strategy pinned'],
    [{ version_strategy: 'latest' }, 'version: has no effect with version_strategy latest'],
    [{ health_check: { tcp: {}, strict: true } }, 'health_check.strict: has no effect with tcp'],
    [
      { recovery: { enabled: false, max_attempts: 2, backoff_seconds: [1] } },
      'recovery.max_attempts: has no effect with recovery switched off',
    ],
    [
      { recovery: { strategy: 'manual', backoff: {} } },
      'recovery.backoff: has no effect with recovery switched off',
    ],
    [{ recovery: { strategy: 'recreate' } }, 'recovery.strategy: `recreate` alone has no effect'],
  ])('%j', (differs, message) => {
    expect(toldOf(differs)).toContain(`warning servers[0].${message}`);
  });

  it('says nothing of auto_update: false, which is what pinned means', () => {
    expect(toldOf({ auto_update: false })).toEqual([]);
  });
});
