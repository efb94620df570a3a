import { describe, expect, it } from 'vitest';
import { resolved, told } from './support.ts';

const flat = (differs: string) => `version: "1.0"
servers:
  - namespace: manifest
    name: chora-mcp-manifest
    docker_image: liminalcommons/mcp-manifest:latest
${differs}`;

describe('the flat registry of the first days', () => {
  it('is read as the gateway wrote it', () => {
    const text = flat(`    port: 8081
    health_url: http://chora-mcp-manifest:8081/health
    volumes:
      /srv/data: { bind: /data, mode: ro }
      shared: { bind: /shared, mode: rw }
    environment: { LOG_LEVEL: info }
    tools:
      - { name: list_servers, description: List all servers }
`);
    expect(told(text)).toEqual([]);
    expect(resolved(text)).toMatchObject([
      {
        name: 'chora-mcp-manifest',
        namespace: 'manifest',
        version: null,
        settings: { path: '/mcp', health: { probe: { http: { endpoint: '/health' } } } },
        blueprint: {
          image: 'docker.io/liminalcommons/mcp-manifest:latest',
          port: 8081,
          hostPort: 0,
          env: { LOG_LEVEL: 'info' },
          mounts: [
            { kind: 'host-path', source: '/srv/data', target: '/data', readOnly: true },
            { kind: 'volume', source: 'shared', target: '/shared', readOnly: false },
          ],
        },
        metadata: { tools: [{ name: 'list_servers', description: 'List all servers' }] },
      },
    ]);
  });

  it('takes the port from an address on this machine, inside and outside', () => {
    const text = flat('    endpoint: http://localhost:8082\n    health_url: http://localhost:8082\n');
    expect(resolved(text)).toMatchObject([
      {
        blueprint: { port: 8082, hostPort: 8082, exclusiveBecause: 'fixed host port 8082' },
        settings: { health: { probe: { http: { endpoint: '/' } } } },
      },
    ]);
  });

  it('does not make up a port', () => {
    expect(told(flat(''))).toEqual(['error servers[0].docker: `port` is missing']);
    expect(told(flat('    endpoint: http://somewhere:99999\n'))).toEqual([
      'error servers[0].docker: `port` is missing',
    ]);
  });

  it('may carry the policy of 1.1, which its own keys do not overrule', () => {
    const text = flat(`    port: 80
    health_url: http://x/other
    health_check: { endpoint: /health, interval_seconds: 10 }
    config: { env: { A: config } }
    environment: { A: environment, B: environment }
    auto_update: true
    version_strategy: latest
`);
    expect(resolved(text)).toMatchObject([
      {
        autoUpdate: true,
        strategy: 'latest',
        settings: { health: { intervalSeconds: 10, probe: { http: { endpoint: '/health' } } } },
        blueprint: { env: { A: 'config', B: 'environment' } },
      },
    ]);
  });

  it('is read as 1.0 with a word of warning when it does not say its version', () => {
    expect(told('servers: [{ name: a, docker_image: "x/a:1.0.0", port: 80 }]')).toEqual([
      'warning : `version` is missing: read as 1.0',
    ]);
  });
});

const nested = (differs = '', transport = 'http') => `version: "1.0.0"
updated: "2025-11-15T00:00:00Z"
servers:
  - server:
      name: github
      description: GitHub integration
      version: 1.0.0
      repository: https://github.com/x/y
      transport: ${transport}
    metadata: { tags: [git], maintainer: somebody, license: MIT }
    health: { endpoint: http://localhost:1234/healthz }
${differs}`;

describe('the nested registry', () => {
  it('is listed as undeployable, and nothing is made up', () => {
    expect(told(nested())).toEqual(['warning servers[0]: the entry does not say how to run it']);
    expect(resolved(nested())).toMatchObject([
      {
        name: 'github',
        version: '1.0.0',
        blueprint: null,
        refusal: { phase: 'undeployable', reason: 'no_docker_block' },
        settings: { health: { probe: { http: { endpoint: '/healthz' } } } },
        metadata: { description: 'GitHub integration', tags: ['git'], maintainers: ['somebody'] },
      },
    ]);
  });

  it('can be deployed once it has a docker block', () => {
    const text = nested(
      '    docker: { image: liminalcommons/github, port: 80 }\n    tags: [own]\n    maintainers: [me]\n',
    );
    expect(resolved(text)).toMatchObject([
      {
        refusal: null,
        blueprint: { image: 'docker.io/liminalcommons/github:1.0.0' },
        metadata: { tags: ['own'], maintainers: ['me'] },
      },
    ]);
  });

  it('says of a stdio server that it cannot be reached', () => {
    expect(resolved(nested('', 'stdio'))).toMatchObject([{ refusal: { reason: 'stdio_not_bridged' } }]);
  });

  it('needs neither metadata nor health', () => {
    expect(resolved('version: "1.0"\nservers: [{ server: { name: a } }]')).toMatchObject([
      { name: 'a', settings: { health: { probe: { http: { endpoint: '/health' } } } } },
    ]);
  });
});

describe('defaults', () => {
  const text = (defaults: object, server: object) =>
    JSON.stringify({
      version: '1.1',
      defaults,
      servers: [{ name: 'a', version: '1.0.0', docker: { image: 'liminalcommons/a', port: 80 }, ...server }],
    });

  it('are joined under each server key by key; lists are replaced', () => {
    const defaults = {
      docker: { command: ['--all'], resources: { memory: '1g', pids: 10 } },
      config: { env: { A: 'default', B: 'default' } },
      restart_policy: 'on-failure',
    };
    const server = {
      docker: { image: 'liminalcommons/a', port: 80, command: [], resources: { pids: 20 } },
      config: { env: { A: 'own' } },
    };
    expect(resolved(text(defaults, server))).toMatchObject([
      {
        restartPolicy: 'on-failure',
        blueprint: {
          command: [],
          resources: { memoryBytes: 1024 ** 3, pids: 20 },
          env: { A: 'own', B: 'default' },
        },
      },
    ]);
  });

  it('give way where a server chooses another of a set', () => {
    const defaults = {
      health_check: { endpoint: '/h', interval_seconds: 9 },
      recovery: { backoff_seconds: [9] },
    };
    const server = { health_check: { tcp: {} }, recovery: { backoff: { initial_delay: 2 } } };
    expect(resolved(text(defaults, server))).toMatchObject([
      {
        settings: {
          health: { probe: { tcp: {} }, intervalSeconds: 9 },
          recovery: { backoffSeconds: [2, 4, 8] },
        },
      },
    ]);
    expect(told(text(defaults, { health_check: { interval_seconds: 8 } }))).toEqual([]);
  });

  it('make no container of an entry that has none', () => {
    const text = JSON.stringify({
      version: '1.1',
      defaults: { docker: { user: '1000' } },
      servers: [{ server: { name: 'a' } }, { name: 'b' }],
    });
    expect(resolved(text).map(({ refusal }) => refusal?.reason)).toEqual([
      'no_docker_block',
      'no_docker_block',
    ]);
  });

  it('that are broken are told once', () => {
    expect(told(text({ name: 'x' }, {}))).toEqual(['error defaults.name: unknown key `name`']);
    expect(told(text([], {}))).toEqual(['error defaults: must be a mapping, is a list']);
  });
});
