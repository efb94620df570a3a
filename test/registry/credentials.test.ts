import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCredentials, toPullAuth } from '../../src/registry/credentials.ts';

let folder = '';
const path = process.env['PATH'];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'credentials-'));
  process.env['PATH'] = `${folder}:${path}`;
  await helper('good', 'read server; echo "{\\"Username\\":\\"me\\",\\"Secret\\":\\"for $server\\"}"');
  await helper('token', 'echo \'{"Username":"<token>","Secret":"r1"}\'');
  await helper('empty', 'echo "{}"');
  await helper('none', 'echo "credentials not found in native keychain"; exit 1');
  await helper('broken', 'echo "boom: secret-detail" >&2; exit 2');
  await helper('odd', 'echo "not json"');
});

afterAll(async () => {
  process.env['PATH'] = path;
  await rm(folder, { recursive: true });
});

async function helper(name: string, script: string) {
  await writeFile(join(folder, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, `docker-credential-${name}`), 0o755);
}

async function read(config: unknown, host: string) {
  const file = join(folder, 'config.json');
  await writeFile(file, typeof config === 'string' ? config : JSON.stringify(config));
  const { credentials, trouble } = await readCredentials(file, host);
  if (trouble !== null) throw trouble;
  return credentials;
}

const basic = (text: string) => ({ auth: Buffer.from(text).toString('base64') });
const me = { kind: 'password', username: 'me', password: 'pass:word' };

describe('the credentials of a registry', () => {
  it.each([
    ['ghcr.io', 'ghcr.io'],
    ['https://ghcr.io/v2/', 'ghcr.io'],
    ['https://index.docker.io/v1/', 'docker.io'],
    ['registry-1.docker.io', 'docker.io'],
    ['127.0.0.1:5000', '127.0.0.1:5000'],
  ])('written under %s are those of %s', async (key, host) => {
    expect(await read({ auths: { [key]: basic('me:pass:word') } }, host)).toEqual(me);
  });

  it('are none where nothing is written', async () => {
    const nothing = { credentials: null, from: null, trouble: null };
    expect(await readCredentials(null, 'ghcr.io')).toEqual(nothing);
    expect(await readCredentials(join(folder, 'absent.json'), 'ghcr.io')).toEqual(nothing);
    expect(await read({}, 'ghcr.io')).toBeNull();
    expect(await read({ auths: { 'ghcr.io': null } }, 'ghcr.io')).toBeNull();
    expect(await read({ auths: { 'ghcr.io': { auth: 7 } }, credsStore: 7 }, 'ghcr.io')).toBeNull();
    expect(await read({ auths: { 'ghcr.io': {} }, credsStore: '' }, 'ghcr.io')).toBeNull();
    expect(await read({ auths: { 'ghcr.io.evil.example': basic('me:x') } }, 'ghcr.io')).toBeNull();
  });

  it('may be written in the open or as an identity token', async () => {
    const open = { auths: { a: { username: 'me', password: 'pass:word' }, b: { username: 'you' } } };
    expect(await read(open, 'a')).toEqual(me);
    expect(await read(open, 'b')).toMatchObject({ username: 'you', password: '' });
    expect(await read({ auths: { a: { identitytoken: 'r1' } } }, 'a')).toEqual({
      kind: 'identity',
      token: 'r1',
    });
  });

  it('come from the helper of the host before the general one, and from that before the file', async () => {
    const auths = { 'ghcr.io': basic('file:file') };
    const helped = { auths, credHelpers: { 'ghcr.io': 'token' }, credsStore: 'good' };
    expect(await read(helped, 'ghcr.io')).toEqual({ kind: 'identity', token: 'r1' });
    expect(await read({ auths, credsStore: 'good' }, 'docker.io')).toMatchObject({
      password: 'for https://index.docker.io/v1/',
    });
    expect(await read({ auths, credsStore: 'none' }, 'ghcr.io')).toMatchObject({ username: 'file' });
  });

  it.each(['broken', 'odd', 'empty', 'absent', '../evil'])(
    'are none, and it is known why, when the helper is %s; the file is asked all the same',
    async (name) => {
      await expect(read({ credsStore: name }, 'ghcr.io')).rejects.toMatchObject({ code: 'registry_denied' });
      const auths = { 'ghcr.io': basic('me:pass:word') };
      expect(await read({ auths, credsStore: name }, 'ghcr.io')).toEqual(me);
    },
  );

  it('are never quoted from a file that cannot be read', async () => {
    const error = await read('{"auths": secret-detail', 'ghcr.io').catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'registry_denied' });
    expect(String((error as Error).stack)).not.toContain('secret-detail');
  });

  it('are given to the engine as it takes them', () => {
    const password = { kind: 'password', username: 'me', password: 'x' } as const;
    expect(toPullAuth(password, 'ghcr.io')).toEqual({
      username: 'me',
      password: 'x',
      serveraddress: 'ghcr.io',
    });
    expect(toPullAuth({ kind: 'identity', token: 'r1' }, 'docker.io')).toMatchObject({
      identitytoken: 'r1',
      serveraddress: 'https://index.docker.io/v1/',
    });
  });
});
