import { describe, expect, it } from 'vitest';
import { defaultPolicy, grantedSecrets, readPolicy, trusting } from '../../src/manifest/policy.ts';
import type { Policy } from '../../src/manifest/policy.ts';
import { entry, manifestOf, only, resolved } from './support.ts';

const policyOf = (text: string): Policy => {
  const result = readPolicy(text, 'policy.yaml');
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};

describe('the policy file', () => {
  it('that is empty is the default policy', () => {
    expect(policyOf('')).toEqual(defaultPolicy);
    expect(policyOf('{}')).toEqual(defaultPolicy);
  });

  it('says what the operator allows', () => {
    const text = `
trusted_images: [liminalcommons/*, ghcr.io/acme/server]
trusted_repositories: [github.com/liminalcommons/*]
allow_host_paths: [/srv]
allow_volumes: [shared]
allow_networks: [db]
allow_host_ports: ["443", "8000-8999"]
allow_secrets: { mcp-server-github: [GITHUB_TOKEN] }
max_resources: { cpus: 2, memory: 1g, pids: 100 }
require_digest: true
allow_removal_of: 2
removal_by_trailer: false
`;
    expect(policyOf(text)).toEqual({
      trustedImages: ['docker.io/liminalcommons/*', 'ghcr.io/acme/server'],
      trustedRepositories: ['github.com/liminalcommons/*'],
      allowHostPaths: ['/srv'],
      allowVolumes: ['shared'],
      allowNetworks: ['db'],
      allowHostPorts: [
        { from: 443, to: 443 },
        { from: 8000, to: 8999 },
      ],
      allowSecrets: { 'mcp-server-github': ['GITHUB_TOKEN'] },
      maxResources: { cpus: 2, memoryBytes: 1024 ** 3, pids: 100 },
      requireDigest: true,
      allowRemovalOf: 2,
      removalByTrailer: false,
      engineSockets: [],
      ownPaths: [],
      ownPorts: [],
    });
  });

  it.each([
    ['trusted_image: []', 'unknown key `trusted_image`', 'Did you mean `trusted_images`?'],
    ['- a', 'must be a mapping, is a list', 'Correct the value.'],
    ['a: [', 'Flow sequence in block collection must be sufficiently indented and end with a ]', 'Check'],
    ['require_digest: "yes"', 'must be true or false, is the string yes', 'Write it without quotes'],
  ])('%j is refused with a reason', (text, message, advice) => {
    const result = readPolicy(text, 'policy.yaml');
    expect(result).toMatchObject({ ok: false, error: [{ file: 'policy.yaml', message, line: 1 }] });
    if (!result.ok) expect(result.error[0]?.advice).toContain(advice);
  });

  it('grants shared secrets by name of the server, and to no other', () => {
    const policy = policyOf('allow_secrets: { a: [TOKEN] }');
    expect(grantedSecrets(policy, 'a')).toEqual(['TOKEN']);
    expect(grantedSecrets(policy, 'b')).toEqual([]);
    expect(grantedSecrets(policy, 'constructor')).toEqual([]);
  });
});

const image = (reference: string) => ({ version: undefined, docker: { image: reference, port: 80 } });
const reasonOf = (differs: object, policy: Partial<Policy> = {}) =>
  only(differs, { ...defaultPolicy, ...policy }).refusal?.reason ?? null;

describe('trust', () => {
  it.each([
    ['liminalcommons/a:1', null],
    ['docker.io/liminalcommons/a:1', null],
    ['registry-1.docker.io/liminalcommons/a:1', null],
    ['liminalcommons/a/b:1', 'untrusted_image'],
    ['liminalcommons.evil/a:1', 'untrusted_image'],
    ['evil.io/liminalcommons/a:1', 'untrusted_image'],
    ['evil.io/docker.io/liminalcommons/a:1', 'untrusted_image'],
    ['liminalcommons:1', 'untrusted_image'],
  ])('of %s by the default policy: %s', (reference, reason) => {
    expect(reasonOf(image(reference))).toBe(reason);
  });

  it('is extended by --trust, and the refusal says how', () => {
    const refusal = only(image('ghcr.io/acme/a:1')).refusal;
    expect(refusal).toMatchObject({
      phase: 'refused',
      message: 'the image `ghcr.io/acme/a` is not trusted',
      suggestedAction:
        "Start with --trust 'ghcr.io/acme/*', or add 'ghcr.io/acme/*' to trusted_images in the policy file.",
    });
    expect(only(image('ghcr.io/acme/a:1'), trusting(defaultPolicy, ['ghcr.io/acme/*'])).refusal).toBeNull();
    expect(only(image('nginx:1')).refusal?.suggestedAction).toContain("--trust 'docker.io/library/nginx'");
  });

  it('takes short patterns as it takes short names, and nothing but * and ? as special', () => {
    const trusts = (pattern: string, reference: string) =>
      reasonOf(image(reference), trusting(defaultPolicy, [pattern])) === null;
    expect(trusts('acme/*', 'acme/a:1')).toBe(true);
    expect(trusts('nginx', 'nginx:1')).toBe(true);
    expect(trusts('*/acme/?', 'ghcr.io/acme/a:1')).toBe(true);
    expect(trusts('*', 'ghcr.io/acme/a:1')).toBe(false);
    expect(trusts('**', 'ghcr.io/acme/a:1')).toBe(false);
    expect(trusts('ghcr.io/**', 'ghcr.io/acme/a:1')).toBe(false);
    expect(trusts('ghcr.io/{acme,x}/*', 'ghcr.io/acme/a:1')).toBe(false);
    expect(trusts('!x', 'ghcr.io/acme/a:1')).toBe(false);
    expect(trusts('ghcr.io/(acme|x)/*', 'ghcr.io/acme/a:1')).toBe(false);
    expect(trusts('ghcr.io/acme/a|x', 'ghcr.io/acme/a:1')).toBe(false);
    expect(trusts('ghcr.io/@(acme)/*', 'ghcr.io/acme/a:1')).toBe(false);
    expect(trusts('ghcr.io/acme/a.b', 'ghcr.io/acme/axb:1')).toBe(false);
  });

  it('of a repository is asked only where the policy names some', () => {
    const policy = { trustedRepositories: ['github.com/liminalcommons/*'] };
    const from = (repository?: string) => reasonOf(repository === undefined ? {} : { repository }, policy);
    expect(from('https://github.com/liminalcommons/a')).toBeNull();
    expect(from('https://token@github.com/liminalcommons/a.git')).toBeNull();
    expect(from('https://github.com/evil/a')).toBe('untrusted_repository');
    expect(from('https://evil.io/github.com/liminalcommons/a')).toBe('untrusted_repository');
    expect(from()).toBe('untrusted_repository');
  });

  it('asks for digests where the policy does', () => {
    expect(reasonOf({}, { requireDigest: true })).toBe('digest_required');
    const fixed = image(`liminalcommons/a@sha256:${'0'.repeat(64)}`);
    expect(reasonOf(fixed, { requireDigest: true })).toBeNull();
  });
});

const docker = (differs: object) => ({ docker: { image: 'liminalcommons/a', port: 80, ...differs } });
const mount = (source: string, differs: object = {}) =>
  docker({ volumes: [{ source, target: '/x', ...differs }] });

describe('what a container may have', () => {
  it('host paths only inside the allowed folders', () => {
    const allowed = { allowHostPaths: ['/srv/data/'] };
    expect(reasonOf(mount('/srv/data'), allowed)).toBeNull();
    expect(reasonOf(mount('/srv/data/a'), allowed)).toBeNull();
    expect(reasonOf(mount('/srv/database'), allowed)).toBe('host_path_not_allowed');
    expect(reasonOf(mount('/srv/data'))).toBe('host_path_not_allowed');
  });

  it.each([
    '/',
    '/var',
    '/run',
    '/var/run',
    '/var/run/docker.sock',
    '//var//run/docker.sock',
    '/run/user/1000',
    '/proc/1/root',
    '/srv/docker.sock',
    '/home/me/.docker/podman-api.sock',
    '/var/lib/docker/volumes',
    '/opt/engine',
    '/opt/engine/here.socket',
  ])('never the way to the engine: %s', (path) => {
    const everything = { allowHostPaths: ['/'], engineSockets: ['/opt/engine/here.socket'] };
    expect(reasonOf(mount(path), everything)).toBe('engine_socket');
  });

  it.each(['/srv/state', '/srv/state/specs', '/srv'])('never what is our own: %s', (path) => {
    const everything = { allowHostPaths: ['/'], ownPaths: ['/srv/state'] };
    expect(reasonOf(mount(path), everything)).toBe('host_path_closed');
    expect(reasonOf(mount('/srv/state-of-others'), everything)).toBeNull();
  });

  it.each([
    ['/srv/data', false, '/srv/data/out', true, 'host_path_shared'],
    ['/srv/data/in', true, '/srv/data', false, 'host_path_shared'],
    ['/srv/data', false, '/srv/data', true, 'host_path_shared'],
    ['/srv/data', true, '/srv/data', true, null],
    ['/srv/data', false, '/srv/database', false, null],
  ])(
    '%s (read only: %s) and %s (read only: %s) of two servers: %s',
    (one, oneReads, two, twoReads, reason) => {
      const server = (name: string, source: string, read_only: boolean): object =>
        entry({ name, namespace: name, ...mount(source, { read_only }) });
      const text = manifestOf([server('first', one, oneReads), server('second', two, twoReads)]);
      const servers = resolved(text, { ...defaultPolicy, allowHostPaths: ['/srv'] });
      expect(servers.map(({ refusal }) => refusal?.reason ?? null)).toEqual([null, reason]);
    },
  );

  it('host ports from 1024 on, others where the policy says so, and never the one we listen on', () => {
    const port = (host_port: number): object => docker({ host_port });
    expect(reasonOf(port(0))).toBeNull();
    expect(reasonOf(port(1024))).toBeNull();
    expect(reasonOf(port(22))).toBe('host_port_not_allowed');
    const { allowHostPorts } = policyOf('allow_host_ports: ["22", "8000-8999"]');
    expect([22, 8000, 8999].map((one) => reasonOf(port(one), { allowHostPorts }))).toEqual([
      null,
      null,
      null,
    ]);
    expect(reasonOf(port(9000), { allowHostPorts })).toBe('host_port_not_allowed');
    expect(reasonOf(port(8090), { ownPorts: [8090] })).toBe('host_port_not_allowed');
  });

  it('volumes of its own always, those of others by name', () => {
    expect(reasonOf(mount('data'))).toBeNull();
    expect(reasonOf(mount('data', { external: true }))).toBe('volume_not_allowed');
    expect(reasonOf(mount('data', { external: true }), { allowVolumes: ['data'] })).toBeNull();
    expect(reasonOf(mount('mcp-server-other_data', { external: true }))).toBe('volume_not_allowed');
    const named = mount('mcp-server-github_data', { external: true });
    expect(reasonOf(named), 'by its own name too').toBe('volume_not_allowed');
  });

  it('networks by name, and never the host or the engine its own', () => {
    expect(reasonOf(docker({ networks: ['db'] }))).toBe('network_not_allowed');
    expect(reasonOf(docker({ networks: ['db'] }), { allowNetworks: ['db'] })).toBeNull();
    for (const name of ['host', 'none', 'bridge', 'container:x']) {
      expect(reasonOf(docker({ networks: [name] }), { allowNetworks: [name] })).toBe('network_forbidden');
    }
  });

  it('resources up to the limits', () => {
    const policy = { maxResources: { cpus: 1, memoryBytes: 512 * 1024 ** 2, pids: 256 } };
    expect(reasonOf({}, policy)).toBeNull();
    expect(reasonOf(docker({ resources: { cpus: 1.5 } }), policy)).toBe('resources_over_limit');
    expect(reasonOf(docker({ resources: { memory: '513m' } }), policy)).toBe('resources_over_limit');
    expect(reasonOf(docker({ resources: { pids: 257 } }), policy)).toBe('resources_over_limit');
  });

  it('is not asked of what cannot be deployed anyway', () => {
    expect(reasonOf({ transport: 'stdio', ...image('evil.io/x:1') })).toBe('stdio_not_bridged');
  });
});
