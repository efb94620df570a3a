import { describe, expect, it } from 'vitest';
import type { Mount } from '../../../src/model/spec.ts';
import { readImage } from '../../../src/runtime/docker/answers.ts';
import { toCreateOptions } from '../../../src/runtime/docker/create-options.ts';
import { fromLabels, toLabels } from '../../../src/runtime/docker/labels.ts';
import { toInstance } from '../../../src/runtime/docker/translate.ts';
import { aBirth, aSpec, someDigest } from '../births.ts';
import type { SpecOrder } from '../births.ts';
import { inspected } from './inspected.ts';
import type { Inspection } from './inspected.ts';

const everyLimit = { cpus: true, memory: true, pids: true };
const programOf = (Config: object) => readImage({ Id: 'sha256:image', Config })?.program ?? null;
const image = programOf({ Cmd: ['node', 'server.js'], Entrypoint: null, Env: ['PATH=/bin'], User: '1000' });
const around = { image, enforces: everyLimit };
const published = { host: '127.0.0.1', port: 49_155 };

const driftAfter = (change: (inspection: Inspection) => void, order: SpecOrder = {}): readonly string[] =>
  toInstance(inspected(aBirth({ spec: aSpec(order) }), change), around).drift;

describe('what the engine is asked to create', () => {
  it('is made of the manifest alone: what an entry leaves out is the image’s own', () => {
    const made = toCreateOptions(aBirth(), { image: 'x@y', published });
    expect(made).not.toHaveProperty('Cmd');
    expect(made).not.toHaveProperty('User');
    expect(made).not.toHaveProperty('Entrypoint');
    expect(made.HostConfig).not.toHaveProperty('Tmpfs');
  });

  it('has what an entry does say', () => {
    const mounts: Mount[] = [
      { kind: 'volume', source: 'a_data', target: '/data', readOnly: false, shareable: false },
      { kind: 'host-path', source: '/etc/a', target: '/etc/a', readOnly: true, shareable: true },
    ];
    const spec = aSpec({ command: ['--fast'], user: '1000:1000', readOnlyRoot: true, mounts });
    const made = toCreateOptions(aBirth({ spec, secrets: { TOKEN: 'hush' } }), { image: 'x@y', published });
    expect(made).toMatchObject({
      name: 'mcp-server-a-i-0001',
      Cmd: ['--fast'],
      User: '1000:1000',
      Env: ['LOG_LEVEL=info', 'TOKEN=hush'],
      StopTimeout: 10,
      HostConfig: {
        ReadonlyRootfs: true,
        Tmpfs: { '/tmp': expect.any(String) as string },
        Mounts: [
          { Type: 'volume', Source: 'a_data', Target: '/data', ReadOnly: false },
          { Type: 'bind', Source: '/etc/a', Target: '/etc/a', ReadOnly: true },
        ],
      },
    });
    expect(JSON.stringify(made.Labels)).not.toContain('hush');
  });
});

describe('what a container tells of itself', () => {
  it('comes back from its labels as it went in', () => {
    const birth = aBirth();
    expect(fromLabels(toLabels(birth, published))).toEqual({
      server: 'mcp-server-a',
      instance: 'i-0001',
      specDigest: birth.spec.digest,
      spec: birth.spec,
      revision: 'c0ffee',
      traceId: 'trace-1',
      source: birth.source,
      published,
      form: '1',
    });
  });

  it.each([
    ['gone', undefined],
    ['no JSON', '{'],
    ['nothing', 'null'],
    ['of another digest', JSON.stringify({ ...aSpec(), digest: someDigest('9') })],
    ['half', JSON.stringify({ ...aSpec(), networks: undefined })],
    ['without its resources', JSON.stringify({ ...aSpec(), resources: null })],
    ['without its port', JSON.stringify({ ...aSpec(), port: 'x' })],
    ['without its image', JSON.stringify({ ...aSpec(), image: 7 })],
  ])('counts as drifted when its spec label is %s', (_what, label) => {
    const instance = toInstance(
      inspected(aBirth(), ({ Config }) => {
        const key = 'io.liminalcommons.mcp-orchestration.spec';
        if (label === undefined) delete Config.Labels[key];
        else Config.Labels[key] = label;
      }),
      around,
    );
    expect(instance).toMatchObject({
      spec: null,
      drift: ['its label cannot be read'],
      containerAddress: null,
    });
  });

  it.each([
    [
      { ExitCode: -1, Output: 'OCI runtime exec failed:\n\u001b[31mno such file' },
      'OCI runtime exec failed: [31mno such file',
    ],
    [{ ExitCode: 127, Output: '/bin/sh: curl: not found\n' }, '/bin/sh: curl: not found'],
    [{ ExitCode: 126, Output: '' }, 'exit code 126'],
    [{ ExitCode: 1, Output: 'what the server says is its own' }, null],
    [null, null],
  ])(
    'tells of the latest run of its HEALTHCHECK, %j, no more than why it could not be run',
    (check, told) => {
      const instance = toInstance(
        inspected(aBirth(), ({ State }) =>
          Object.assign(State, {
            ...{ Status: 'running', Running: true, Pid: 4711 },
            Health: {
              Status: 'unhealthy',
              Log: check === null ? null : [{ ExitCode: 1, Output: 'x' }, check],
            },
          }),
        ),
        around,
      );
      expect(instance).toMatchObject({ engineHealth: 'unhealthy', healthcheckFailure: told, pid: 4711 });
    },
  );

  it('counts as drifted when nobody can tell where it is published', () => {
    for (const label of ['', 'nowhere', '127.0.0.1:x', ':80']) {
      const instance = toInstance(
        inspected(
          aBirth(),
          ({ Config }) => (Config.Labels['io.liminalcommons.mcp-orchestration.published'] = label),
        ),
        around,
      );
      expect(instance).toMatchObject({ hostAddress: null, drift: ['its label cannot be read'] });
    }
  });

  it('is reached by loopback when it is published everywhere', () => {
    const instance = toInstance(
      inspected(
        aBirth(),
        ({ Config }) => (Config.Labels['io.liminalcommons.mcp-orchestration.published'] = '0.0.0.0:80'),
      ),
      around,
    );
    expect(instance.hostAddress).toEqual({ host: '127.0.0.1', port: 80 });
  });

  it.each([
    ['created', 'created'],
    ['running', 'running'],
    ['paused', 'running'],
    ['restarting', 'running'],
    ['exited', 'exited'],
    ['dead', 'exited'],
    ['removing', 'exited'],
  ] as const)('that the engine calls %s is %s', (status, state) => {
    expect(
      toInstance(
        inspected(aBirth(), ({ State }) => (State.Status = status)),
        around,
      ).state,
    ).toBe(state);
  });

  it('has times in milliseconds, and 0 for what has not happened', () => {
    const running = toInstance(inspected(aBirth()), around);
    expect(running).toMatchObject({
      createdAt: Date.parse('2026-11-20T10:00:00.123Z'),
      startedAt: Date.parse('2026-11-20T10:00:01Z'),
      finishedAt: 0,
      exitCode: null,
    });
    const ended = toInstance(
      inspected(aBirth(), ({ State }) =>
        Object.assign(State, {
          Status: 'exited',
          ExitCode: 137,
          OOMKilled: true,
          FinishedAt: '2026-11-20T11:00:00Z',
        }),
      ),
      around,
    );
    expect(ended).toMatchObject({
      finishedAt: Date.parse('2026-11-20T11:00:00Z'),
      exitCode: 137,
      oomKilled: true,
    });
  });

  it.each([
    ['starting', 'starting'],
    ['healthy', 'healthy'],
    ['unhealthy', 'unhealthy'],
    ['none', null],
  ])('whose own check says %s counts as %s', (status, health) => {
    const instance = toInstance(
      inspected(aBirth(), ({ State }) => (State.Health = { Status: status })),
      around,
    );
    expect(instance.engineHealth).toBe(health);
  });

  it('is joined only under the alias of its server', () => {
    const on = (Aliases: string[] | null) =>
      toInstance(
        inspected(
          aBirth(),
          ({ NetworkSettings }) => (NetworkSettings.Networks['mcp-network-live'] = { Aliases }),
        ),
        around,
      );
    expect(on(['mcp-server-a', 'c0'])).toMatchObject({ joined: true, drift: [] });
    expect(on(['c0'])).toMatchObject({ joined: false, drift: [] });
    expect(on(null)).toMatchObject({ joined: false, drift: [] });
  });
});

describe('drift', () => {
  it('is none while nobody touched it', () => {
    expect(driftAfter(() => undefined)).toEqual([]);
    expect(driftAfter(() => undefined, { command: ['x'], user: '7', readOnlyRoot: true })).toEqual([]);
  });

  const changes: readonly (readonly [word: string, change: (inspection: Inspection) => void])[] = [
    ['name', (it) => (it.Name = '/other')],
    ['paused', (it) => (it.State.Paused = true)],
    ['image', (it) => (it.Config.Image = 'docker.io/liminalcommons/mcp-server-a:1.0.0')],
    ['command', (it) => (it.Config.Cmd = ['sh'])],
    ['command', (it) => (it.Config.Cmd = null)],
    ['entrypoint', (it) => (it.Config.Entrypoint = ['sh'])],
    ['user', (it) => (it.Config.User = '0')],
    ['mounts', (it) => (it.HostConfig.Binds = ['/:/host'])],
    ['mounts', (it) => (it.HostConfig.Mounts = [{ Type: 'bind', Source: '/', Target: '/host' } as never])],
    ['read-only root', (it) => (it.HostConfig.ReadonlyRootfs = true)],
    ['published port', (it) => (it.HostConfig.PortBindings = {})],
    ['restart policy', (it) => (it.HostConfig.RestartPolicy = { Name: 'always' })],
    ['cpu limit', (it) => (it.HostConfig.NanoCpus = 2e9)],
    ['memory limit', (it) => (it.HostConfig.Memory = 0)],
    ['process limit', (it) => (it.HostConfig.PidsLimit = 0)],
    ['capabilities', (it) => (it.HostConfig.CapAdd = ['SYS_ADMIN'])],
    ['security options', (it) => (it.HostConfig.SecurityOpt = null)],
    ['privileged', (it) => (it.HostConfig.Privileged = true)],
    ['init', (it) => (it.HostConfig.Init = false)],
    ['log rotation', (it) => (it.HostConfig.LogConfig = { Type: 'json-file', Config: {} })],
    ['host namespaces', (it) => (it.HostConfig.PidMode = 'host')],
    ['environment LOG_LEVEL', (it) => (it.Config.Env = ['LOG_LEVEL=debug', 'PATH=/bin'])],
    ['environment EXTRA', (it) => it.Config.Env.push('EXTRA=1')],
    ['not on network mcp-network', (it) => (it.NetworkSettings.Networks = {})],
    ['on network bridge', (it) => (it.NetworkSettings.Networks['bridge'] = { Aliases: null })],
    [
      'without its name on network mcp-network',
      (it) => (it.NetworkSettings.Networks['mcp-network'] = { Aliases: null }),
    ],
  ];
  it.each(changes)('is told as "%s"', (word, change) => {
    expect(driftAfter(change)).toEqual([word]);
  });

  it('tells a lost secret by its name, and never looks at its value', () => {
    const secrets = [
      { name: 'TOKEN', version: 'v1' },
      { name: 'OPTIONAL', version: null },
    ];
    const spec = aSpec({ secrets, env: { TOKEN: 'overridden' } });
    const birth = aBirth({ spec, secrets: { TOKEN: 'hush' } });
    expect(toInstance(inspected(birth), around).drift).toEqual([]);
    const lost = inspected(birth, (it) => (it.Config.Env = ['PATH=/bin']));
    expect(toInstance(lost, around).drift).toEqual(['environment TOKEN']);
  });

  it('is not looked for in what only the image could tell, once the image is gone', () => {
    const changed = inspected(aBirth(), (it) => {
      it.Config.Cmd = ['sh'];
      it.Config.User = '0';
      it.Config.Env.push('EXTRA=1');
    });
    expect(toInstance(changed, { ...around, image: null }).drift).toEqual([]);
  });

  it('is found without the image in what the entry itself says', () => {
    const birth = aBirth({ spec: aSpec({ command: ['a'], user: '1' }) });
    const changed = inspected(birth, (it) => {
      it.Config.Cmd = ['b'];
      it.Config.User = '0';
    });
    expect(toInstance(changed, { ...around, image: null }).drift).toEqual(['command', 'user']);
  });

  it('is no drift: a limit that the engine cannot keep', () => {
    const unlimited = inspected(aBirth(), ({ HostConfig }) =>
      Object.assign(HostConfig, { NanoCpus: 0, Memory: 0, PidsLimit: null }),
    );
    const enforces = { cpus: false, memory: false, pids: false };
    expect(toInstance(unlimited, { image, enforces }).drift).toEqual([]);
    expect(toInstance(unlimited, around).drift).toEqual(['cpu limit', 'memory limit', 'process limit']);
  });

  it('is no drift: an older form of hardening, since an upgrade of the orchestrator restarts nothing', () => {
    const older = inspected(aBirth(), ({ Config, HostConfig }) => {
      Config.Labels['io.liminalcommons.mcp-orchestration.form'] = '0';
      HostConfig.LogConfig = { Type: 'local', Config: {} };
    });
    expect(toInstance(older, around).drift).toEqual([]);
  });

  it('is no drift: what an engine writes for nothing', () => {
    const birth = aBirth({
      spec: aSpec({
        mounts: [{ kind: 'volume', source: 'a', target: '/a', readOnly: false, shareable: true }],
      }),
    });
    const written = inspected(birth, ({ HostConfig }) => {
      HostConfig.RestartPolicy = { Name: '' };
      HostConfig.Mounts = [{ Type: 'volume', Source: 'a', Target: '/a' } as never];
      delete HostConfig.Privileged;
      delete HostConfig.ReadonlyRootfs;
    });
    expect(toInstance(written, around).drift).toEqual([]);
  });

  it('is no drift: an entrypoint or command that the image has as one text', () => {
    const sameImage = {
      image: programOf({ Cmd: null, Entrypoint: 'run', Env: null, User: '' }),
      enforces: everyLimit,
    };
    const same = inspected(aBirth(), ({ Config }) => {
      Object.assign(Config, { Cmd: null, Entrypoint: ['run'], User: '', Env: ['LOG_LEVEL=info'] });
    });
    expect(toInstance(same, sameImage).drift).toEqual([]);
  });
});
