import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { withOwnPlaces } from '../../src/app/own-places.ts';
import { defaultPolicy } from '../../src/manifest/policy.ts';

const config = {
  ...{ docker: null, manifest: '/srv/manifests', state: 'state', secrets: '/srv/secrets', policy: null },
  ...{ listen: '127.0.0.1:8090', sshKey: '/srv/key' },
};

it('our folders, files and port, and the socket of the engine, are never given to a server', () => {
  const given = withOwnPlaces(defaultPolicy, config, { DOCKER_HOST: 'unix:///srv/engine.sock' });
  expect(given).toMatchObject({ engineSockets: ['/srv/engine.sock'], ownPorts: [8090] });
  expect(given.ownPaths).toEqual(
    expect.arrayContaining([resolve('state'), '/srv/secrets', '/srv/manifests', '/srv/key']),
  );
});

it.each([
  ['https://git.example/o/r.git', []],
  ['git@git.example:o/r.git', []],
  ['file:///srv/manifests', ['/srv/manifests']],
])('what is on another machine is no folder of ours: %s', (manifest, folders) => {
  const bare = { docker: 'tcp://engine:2376', manifest, state: '/srv/state', secrets: null, policy: null };
  const given = withOwnPlaces(defaultPolicy, bare, {});
  expect(given.ownPaths).toEqual(['/srv/state', ...folders]);
  expect(given).toMatchObject({ engineSockets: [], ownPorts: [] });
});
