import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { openRegistry, type OpenedRegistry, type RegistryOptions } from '../../src/registry/index.ts';
import { authority, clientCert, clientKey } from './certificates.ts';
import { cert as loopbackCert, key as loopbackKey } from '../status/certificate.ts';
import { loggingProxy, tlsFront } from './fronts.ts';
import { json, serving, sha, status, stubRegistry, type Handler } from './stub-registry.ts';

const never = new AbortController().signal;
const now = { maxAgeMs: 0 };
const HOST = 'registry.corp.test';
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => void (await Promise.all(closers.splice(0).map((close) => close()))));

const kept = <T extends { close(): Promise<unknown> }>(one: T): T => {
  closers.push(() => one.close());
  return one;
};

function open(more: Partial<RegistryOptions> = {}): OpenedRegistry {
  const usual = { clock: systemClock, random: () => 0, dockerConfig: null, certificateFolders: [] };
  return kept(openRegistry({ ...usual, ...more }));
}

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'certificates-'));
  closers.push(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

/** A registry with a private certificate that only a proxy leads to. */
async function behindProxy(handler: Handler = serving('{}'), asksWho = false) {
  const front = kept(await tlsFront(handler, { asksWho }));
  const proxy = kept(await loggingProxy(front.port));
  return { front, proxy, env: { HTTPS_PROXY: `http://me:p%40ss@127.0.0.1:${proxy.port}` } };
}

const ask = (registry: OpenedRegistry, host: string) => registry.digestOf(`${host}/a:1`, now, never);

describe('a registry behind a proxy', () => {
  it('is asked by CONNECT, with who we are to the proxy', async () => {
    const { proxy, env } = await behindProxy();
    const file = join(await folderOf({ 'ca.pem': authority }), 'ca.pem');
    expect(await ask(open({ env: { ...env, SSL_CERT_FILE: file } }), HOST)).toBe(sha('{}'));
    expect(proxy.asked).toEqual([`CONNECT ${HOST}:443`]);
    expect(proxy.shown).toEqual([`Basic ${Buffer.from('me:p@ss').toString('base64')}`]);
  });

  it('is not, where NO_PROXY names it', async () => {
    const { proxy, env } = await behindProxy();
    const asking = ask(open({ env: { ...env, no_proxy: '.corp.test' } }), HOST);
    await expect(asking).rejects.toMatchObject({ code: 'registry_unreachable' });
    expect(proxy.asked).toEqual([]);
  });

  it.each(['socks5://127.0.0.1:1', 'http://user:secret-part@['])(
    'that cannot be one (%s) is said so, without the password in it',
    async (address) => {
      const error = await ask(open({ env: { HTTPS_PROXY: address } }), HOST).catch((cause: unknown) => cause);
      expect(error).toMatchObject({ code: 'registry_unreachable' });
      expect((error as Error).message).not.toContain('secret-part');
    },
  );
});

describe('a registry with a certificate of a private authority', () => {
  it('is told apart from one that is away, with what to do, and taken once that is done', async () => {
    const { env } = await behindProxy();
    const folder = await folderOf({});
    let time = Date.now();
    const clock = { ...systemClock, now: () => time };
    const registry = open({ env, clock, certificateFolders: [folder] });
    const refused = await ask(registry, HOST).catch((cause: unknown) => cause);
    expect(refused).toMatchObject({
      code: 'registry_unreachable',
      suggestedAction: expect.stringContaining(`/etc/docker/certs.d/${HOST}/ca.crt`) as string,
    });
    await mkdir(join(folder, HOST));
    await writeFile(join(folder, HOST, 'ca.crt'), authority);
    time += 120_000;
    expect(await ask(registry, HOST)).toBe(sha('{}'));
  });

  it.each(['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'])('is believed by %s', async (name) => {
    const { env } = await behindProxy();
    const folder = await folderOf({ 'ca.pem': authority });
    expect(await ask(open({ env: { ...env, [name]: join(folder, 'ca.pem') } }), HOST)).toBe(sha('{}'));
  });

  it('is believed by SSL_CERT_DIR, whatever else lies there', async () => {
    const { env } = await behindProxy();
    const damaged = authority.replace(/[A-Za-z0-9+/]{64}/, 'x'.repeat(64));
    const folder = await folderOf({ 'a.pem': 'no certificate', 'b.pem': damaged, 'ca.pem': authority });
    expect(await ask(open({ env: { ...env, SSL_CERT_DIR: folder } }), HOST)).toBe(sha('{}'));
  });

  it('is shown who we are where it asks, from the folder of its host', async () => {
    const { env } = await behindProxy(serving('{}'), true);
    const own = { 'ca.crt': authority, 'us.cert': clientCert, 'us.key': clientKey };
    const named = Object.entries(own).map(([name, text]) => [`${HOST}/${name}`, text]);
    const folder = await folderOf(Object.fromEntries(named) as Record<string, string>);
    expect(await ask(open({ env, certificateFolders: [folder] }), HOST)).toBe(sha('{}'));
    const other = await folderOf({ [`${HOST}/ca.crt`]: authority });
    await expect(ask(open({ env, certificateFolders: [other] }), HOST)).rejects.toThrow();
  });
});

describe('a registry on this machine', () => {
  it('may speak TLS with a certificate that nobody signed', async () => {
    const front = kept(await tlsFront(serving('{}'), { cert: loopbackCert, key: loopbackKey }));
    const registry = open();
    for (let n = 0; n < 3; n += 1) expect(await ask(registry, `127.0.0.1:${front.port}`)).toBe(sha('{}'));
    expect(front.asked).toHaveLength(3);
  });

  it('is not asked without TLS once it has spoken it', async () => {
    const front = kept(await tlsFront(serving('{}'), { cert: loopbackCert, key: loopbackKey }));
    const host = `127.0.0.1:${front.port}`;
    const registry = open();
    await ask(registry, host);
    await front.close();
    const plain = await stubRegistry(serving('{}'), front.port);
    closers.push(() => plain.close());
    await expect(ask(registry, host)).rejects.toMatchObject({ code: 'registry_unreachable' });
    expect(plain.asked).toEqual([]);
  });
});

describe('a registry without encryption elsewhere', () => {
  /** `registry.corp.test` and 10.9.8.7 are led to the stub by a proxy for plain http. */
  async function plainBehindProxy() {
    const stub = kept(await stubRegistry(serving('{}')));
    const proxy = kept(await stubRegistry((request, response, url) => serving('{}')(request, response, url)));
    return { stub, proxy, env: { HTTP_PROXY: `http://${proxy.host}` } };
  }

  it.each([
    ['by its name', { hosts: ['registry.corp.test:5000'], ranges: [] }, 'registry.corp.test:5000'],
    ['by its range', { hosts: [], ranges: ['10.9.0.0/16'] }, '10.9.8.7:5000'],
  ])('is asked where the engine was told so %s', async (_how, insecure, host) => {
    const { proxy, env } = await plainBehindProxy();
    const told = { ...env, HTTPS_PROXY: 'http://127.0.0.1:1' };
    expect(await ask(open({ env: told, insecure: () => Promise.resolve(insecure) }), host)).toBe(sha('{}'));
    expect(proxy.asked).toEqual([`HEAD http://${host}/v2/a/manifests/1`]);
  });

  it.each([
    ['says nothing of it', () => Promise.resolve({ hosts: ['other:5000'], ranges: ['127.0.0.0/8'] })],
    ['is away', () => Promise.reject(new Error('no engine'))],
  ])('is not, where the engine %s', async (_what, insecure) => {
    const { proxy, env } = await plainBehindProxy();
    const told = { ...env, HTTPS_PROXY: 'http://127.0.0.1:1' };
    await expect(ask(open({ env: told, insecure }), 'registry.corp.test:5000')).rejects.toMatchObject({
      code: 'registry_unreachable',
    });
    expect(proxy.asked).toEqual([]);
  });
});

describe('the token server that a registry names', () => {
  const login = async (host: string): Promise<string> => {
    const auth = Buffer.from('me:secret').toString('base64');
    return join(
      await folderOf({ 'config.json': JSON.stringify({ auths: { [host]: { auth } } }) }),
      'config.json',
    );
  };
  const asksFor = (realm: string): Handler =>
    status(401, { 'www-authenticate': `Bearer realm="${realm}",service="s"` });

  it('may be another host by TLS, believed by the certificates of the registry', async () => {
    const guarded: Handler = (request, response, url) => {
      if (url.pathname === '/token') return json(response, { token: 't1' });
      const knows = request.headers.authorization === 'Bearer t1';
      (knows ? serving('{}') : asksFor(`https://${HOST}:8443/token`))(request, response, url);
    };
    const { proxy, env } = await behindProxy(guarded);
    const folder = await folderOf({ [`${HOST}/ca.crt`]: authority });
    const registry = open({ env, certificateFolders: [folder], dockerConfig: await login(HOST) });
    expect(await ask(registry, HOST)).toBe(sha('{}'));
    expect([...new Set(proxy.asked)]).toEqual([`CONNECT ${HOST}:443`, `CONNECT ${HOST}:8443`]);
  });

  it.each([`http://${HOST}/token`, 'http://tokens.test/token', 'http://127.0.0.1:9/token', 'ftp://x/'])(
    'is never %s for a registry that speaks TLS',
    async (realm) => {
      const { env } = await behindProxy(asksFor(realm));
      const folder = await folderOf({ [`${HOST}/ca.crt`]: authority });
      const told = { ...env, HTTP_PROXY: env.HTTPS_PROXY };
      const registry = open({ env: told, certificateFolders: [folder], dockerConfig: await login(HOST) });
      await expect(ask(registry, HOST)).rejects.toMatchObject({ code: 'registry_answer' });
    },
  );
});
