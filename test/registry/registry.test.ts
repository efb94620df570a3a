import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { openRegistry, type OpenedRegistry, type RegistryOptions } from '../../src/registry/index.ts';
import { index, json, manifest, serving, sha, status, stubRegistry, type Handler } from './stub-registry.ts';

const never = new AbortController().signal;
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => void (await Promise.all(closers.splice(0).map((close) => close()))));

async function stub(handler: Handler) {
  const server = await stubRegistry(handler);
  closers.push(() => server.close());
  return server;
}

function open(more: Partial<RegistryOptions> = {}): OpenedRegistry {
  const registry = openRegistry({ clock: systemClock, random: () => 0.5, dockerConfig: null, ...more });
  closers.push(() => registry.close());
  return registry;
}

async function configFile(config: unknown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'docker-config-'));
  closers.push(() => rm(folder, { recursive: true }));
  const path = join(folder, 'config.json');
  await writeFile(path, JSON.stringify(config));
  return path;
}

const login = (host: string, user = 'me:secret') =>
  configFile({ auths: { [host]: { auth: Buffer.from(user).toString('base64') } } });

const now = { maxAgeMs: 0 };
const minute = { maxAgeMs: 60_000 };

describe('the digest behind a tag', () => {
  it('comes from one HEAD', async () => {
    const server = await stub(serving('{"x":1}'));
    expect(await open().digestOf(`${server.host}/a/b:1.0`, now, never)).toBe(sha('{"x":1}'));
    expect(server.asked).toEqual(['HEAD /v2/a/b/manifests/1.0']);
  });

  it('is not asked for where the name has it', async () => {
    expect(await open().digestOf(`example.invalid/a@${sha('x')}`, now, never)).toBe(sha('x'));
  });

  it('is asked for once, however many want it and however often within its age', async () => {
    const server = await stub(serving('{}'));
    const registry = open();
    const image = `${server.host}/a/b:1.0`;
    await Promise.all(Array.from({ length: 20 }, () => registry.digestOf(image, minute, never)));
    await registry.digestOf(image, minute, never);
    expect(server.asked).toHaveLength(1);
    await registry.digestOf(image, now, never);
    expect(server.asked).toHaveLength(2);
  });

  it('is asked for conditionally the next time', async () => {
    let answers = 0;
    const server = await stub((request, response, url) => {
      answers += request.headers['if-none-match'] === undefined ? 1 : 0;
      serving('{}')(request, response, url);
    });
    const registry = open();
    for (let n = 0; n < 3; n += 1)
      expect(await registry.digestOf(`${server.host}/a:1`, now, never)).toBe(sha('{}'));
    expect(answers).toBe(1);
  });

  it.each([400, 403, 404, 405, 501])(
    'comes from the bytes of a GET where HEAD is answered with %i',
    async (code) => {
      const server = await stub((request, response, url) =>
        (request.method === 'HEAD' ? status(code) : serving('{"y":2}', manifest))(request, response, url),
      );
      expect(await open().digestOf(`${server.host}/a:1`, now, never)).toBe(sha('{"y":2}'));
    },
  );

  it('is never taken from a header that is no digest', async () => {
    const server = await stub((_request, response) => {
      response.writeHead(200, { 'content-type': index, 'docker-content-digest': 'sha256:../../x' }).end('{}');
    });
    const digest = await open().digestOf(`${server.host}/a:1`, now, never);
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it('does not wait longer than the one who asks', async () => {
    const server = await stub(() => undefined);
    const asking = open().digestOf(`${server.host}/a:1`, now, AbortSignal.timeout(50));
    await expect(asking).rejects.toMatchObject({ code: 'registry_unreachable' });
    const gone = open().digestOf(`${server.host}/a:1`, now, AbortSignal.abort());
    await expect(gone).rejects.toMatchObject({ name: 'Failure' });
  });
});

describe('a registry in trouble', () => {
  const failing = async (handler: Handler) =>
    open()
      .digestOf(`${(await stub(handler)).host}/a:1`, now, never)
      .catch((error: unknown) => error);

  it.each([
    [404, 'image_not_found'],
    [401, 'registry_denied'],
    [403, 'registry_denied'],
    [429, 'registry_busy'],
    [500, 'registry_busy'],
    [503, 'registry_busy'],
    [418, 'registry_answer'],
  ])('answering %i is %s, and no fault of the version', async (code, failure) => {
    expect(await failing(status(code))).toMatchObject({ code: failure, class: 'world' });
  });

  it('that cuts the line is unreachable', async () => {
    expect(await failing((request) => request.socket.destroy())).toMatchObject({
      code: 'registry_unreachable',
    });
  });

  it.each([
    ['an old kind of manifest', serving('{}', 'application/vnd.docker.distribution.manifest.v1+prettyjws')],
    ['endless redirects', status(307, { location: '/v2/a/manifests/1' })],
    ['a redirect to nowhere', status(307, { location: 'http://[' })],
    ['a redirect to what has no host', status(307, { location: 'data:text/plain,x' })],
    ['a redirect out of encryption', status(307, { location: 'http://example.invalid/' })],
  ])('with %s gives an answer we cannot use', async (_what, handler) => {
    expect(await failing(handler)).toMatchObject({ code: 'registry_answer' });
  });

  it('with an endless answer is cut off at 4 MiB', async () => {
    const server = await stub((_request, response) => {
      response.writeHead(200, { 'content-type': index }).on('error', () => response.destroy());
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 32)));
      };
      response.on('drain', more);
      more();
    });
    await expect(open().tags(`${server.host}/a`, now, never)).rejects.toMatchObject({
      code: 'registry_answer',
    });
  });

  it('is left alone as long as it asks for, for every image of that host and no other', async () => {
    const busy = await stub(status(429, { 'retry-after': '30' }));
    const well = await stub(serving('{}'));
    let time = 1_000_000;
    const registry = open({ clock: { ...systemClock, now: () => time } });
    const ask = (image: string) => registry.digestOf(`${busy.host}/${image}:1`, now, never);
    await expect(ask('a')).rejects.toMatchObject({ code: 'registry_busy', retryAfterMs: 30_000 });
    await expect(ask('b')).rejects.toMatchObject({ code: 'registry_busy', retryAfterMs: 33_000 });
    expect(await registry.digestOf(`${well.host}/a:1`, now, never)).toBe(sha('{}'));
    expect(busy.asked).toHaveLength(1);
    time += 33_000;
    await expect(ask('b')).rejects.toMatchObject({ code: 'registry_busy' });
    expect(busy.asked).toHaveLength(2);
    // A clock that was set back does not prolong the pause.
    time -= 3_600_000;
    await expect(ask('b')).rejects.toMatchObject({ code: 'registry_busy' });
    expect(busy.asked).toHaveLength(3);
  });

  it('is believed when it says until when', async () => {
    const until = new Date(Date.now() + 90_000).toUTCString();
    const busy = await stub(status(503, { 'retry-after': until }));
    const error = await open()
      .digestOf(`${busy.host}/a:1`, now, never)
      .catch((cause: unknown) => cause);
    expect((error as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(80_000);
    const odd = await stub(status(503, { 'retry-after': 'soon' }));
    await expect(open().digestOf(`${odd.host}/a:1`, now, never)).rejects.toMatchObject({
      retryAfterMs: null,
    });
  });

  it('is asked again after ever longer pauses', async () => {
    const server = await stub(status(500));
    let time = 0;
    const registry = open({ clock: { ...systemClock, now: () => time }, random: () => 0 });
    const moments: number[] = [];
    for (; time < 200_000; time += 500) {
      const before = server.asked.length;
      await registry.digestOf(`${server.host}/a:1`, now, never).catch((error: unknown) => error);
      if (server.asked.length > before) moments.push(time / 1000);
    }
    expect(moments).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
  });

  it('for one broken manifest is asked for the others all the same', async () => {
    const server = await stub((request, response, url) =>
      (url.pathname.endsWith('/broken') ? status(500) : serving('{}'))(request, response, url),
    );
    const registry = open();
    const ask = (tag: string) => registry.digestOf(`${server.host}/a:${tag}`, now, never);
    await expect(ask('broken')).rejects.toMatchObject({ code: 'registry_busy' });
    expect(await ask('1.0.0')).toBe(sha('{}'));
    await expect(ask('broken')).rejects.toThrow('not asked again');
    expect(server.asked).toHaveLength(2);
  });

  it('that asks who we are for ever is denied after one answer of ours', async () => {
    const server = await stub(status(401, { 'www-authenticate': 'Basic realm="x"' }));
    const opened = open({ dockerConfig: await login(server.host) });
    await expect(opened.digestOf(`${server.host}/a:1`, now, never)).rejects.toMatchObject({
      code: 'registry_denied',
    });
    expect(server.asked).toHaveLength(2);
  });

  it('is never asked more than its budget allows', async () => {
    const server = await stub(serving('{}'));
    let time = 0;
    const limits = { parallel: 2, perMinute: 10 };
    const registry = open({ clock: { ...systemClock, now: () => time }, limits });
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, (_, n) => registry.digestOf(`${server.host}/a${n}:1`, now, never)),
    );
    expect(server.asked).toHaveLength(10);
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(20);
    time += 6000;
    await new Promise((soon) => setTimeout(soon, 10));
    time += 8000;
    expect(await registry.digestOf(`${server.host}/b:1`, now, never)).toBe(sha('{}'));
  });
});

describe('the tags of a repository', () => {
  it('come from every page', async () => {
    const server = await stub((_request, response, url) => {
      const last = url.searchParams.get('last');
      if (last === null)
        return json(
          response,
          { tags: ['1.0', 'bad tag', 7] },
          { link: '</v2/a/b/tags/list?n=2&last=1.0>; rel="next"' },
        );
      // As behind a proxy that ends TLS: the link has the right host and another scheme.
      if (last === '1.0')
        return json(
          response,
          { tags: ['1.1'] },
          { link: `<https://${server.host}/v2/a/b/tags/list?last=1.1>; rel=next` },
        );
      return json(response, { tags: ['1.1', '1.2'] });
    });
    expect(await open().tags(`${server.host}/a/b`, now, never)).toEqual(['1.0', '1.1', '1.2']);
    expect(server.asked[0]).toBe('GET /v2/a/b/tags/list?n=1000');
  });

  it('are an empty list where there are none', async () => {
    const server = await stub((_request, response) => json(response, { name: 'a', tags: null }));
    expect(await open().tags(`${server.host}/a`, now, never)).toEqual([]);
  });

  it('are asked for conditionally when they fit one page', async () => {
    const server = await stub((request, response) => {
      if (request.headers['if-none-match'] === '"t1"') return void response.writeHead(304).end();
      json(response, { tags: ['1.0'] }, { etag: '"t1"' });
    });
    const registry = open();
    for (let n = 0; n < 2; n += 1)
      expect(await registry.tags(`${server.host}/a`, now, never)).toEqual(['1.0']);
  });

  it.each([
    '<https://elsewhere.invalid/v2/a/tags/list>; rel="next"',
    '</v2/other/tags/list>; rel="next"',
    '<http://[>; rel="next"',
  ])('are refused when the next page is at %s', async (link) => {
    const server = await stub((_request, response) => json(response, { tags: [] }, { link }));
    await expect(open().tags(`${server.host}/a`, now, never)).rejects.toMatchObject({
      code: 'registry_answer',
    });
  });

  it.each([
    ['without the folder of a virtual repository', '</v2/b/tags/list?last=1.0&n=2>; rel="next"'],
    ['with a folder inside', '<http://inner:8081/repository/hub/v2/a/b/tags/list?n=2&last=1.0>; rel="next"'],
    ['among others', '</v2/a/b/tags/list?n=2>; rel="prev", </v2/a/b/tags/list?last=1.0>; a="b"; rel="next"'],
  ])('come from the next page when its link is %s', async (_what, link) => {
    const server = await stub((_request, response, url) =>
      url.searchParams.get('last') === null
        ? json(response, { tags: ['1.0'] }, { link })
        : json(response, { tags: ['1.1'] }),
    );
    expect(await open().tags(`${server.host}/a/b`, now, never)).toEqual(['1.0', '1.1']);
    expect(server.asked.every((asked) => asked.startsWith('GET /v2/a/b/tags/list?'))).toBe(true);
  });

  /** As many pages of a thousand. */
  const paged = (pages: number) =>
    stub((_request, response, url) => {
      const page = Number(url.searchParams.get('last') ?? 0) + 1;
      const tags = Array.from({ length: 1000 }, (_, n) => `t${page}-${n}`);
      const link = page < pages ? { link: `</v2/a/tags/list?last=${page}>; rel="next"` } : undefined;
      json(response, { tags }, link);
    });

  it('are all of them, twenty thousand and more', async () => {
    const server = await paged(21);
    expect(await open().tags(`${server.host}/a`, now, never)).toHaveLength(21_000);
  });

  it('are never a part of them: a list without an end is refused', async () => {
    const server = await paged(Infinity);
    const asking = open().tags(`${server.host}/a`, now, never);
    await expect(asking).rejects.toMatchObject({ code: 'registry_answer' });
    const round = await stub((_request, response) =>
      json(response, { tags: ['1.0'] }, { link: '</v2/a/tags/list?last=1.0>; rel="next"' }),
    );
    await expect(open().tags(`${round.host}/a`, now, never)).rejects.toThrow('twice');
    expect(round.asked).toHaveLength(2);
  });

  it.each(['no json', '[]', '{"tags":"1.0"}'])('are refused as %s', async (text) => {
    const server = await stub((_request, response) => void response.end(text));
    await expect(open().tags(`${server.host}/a`, now, never)).rejects.toMatchObject({
      code: 'registry_answer',
    });
  });
});

describe('what a pull would bring', () => {
  const part = (text: string, size: number) => ({ digest: sha(text), size });
  const image = JSON.stringify({ config: part('config', 10), layers: [part('l1', 100), part('l2', 1000)] });
  const entry = (os: string, architecture: string, variant?: string, text = image) => ({
    ...part(text, 1),
    platform: { os, architecture, variant },
  });
  const list = JSON.stringify({
    manifests: [entry('linux', 'amd64', undefined, '{}'), entry('linux', 'arm64', 'v8'), { digest: 'odd' }],
  });
  const both: Handler = (request, response, url) =>
    (url.pathname.endsWith(sha(image)) ? serving(image, manifest) : serving(list))(request, response, url);

  it('is found for the platform of the engine', async () => {
    const server = await stub(both);
    const facts = await open().inspect(
      `${server.host}/a:1`,
      { os: 'linux', architecture: 'arm64' },
      minute,
      never,
    );
    expect(facts).toEqual({ sizeBytes: 1110, offers: ['linux/amd64', 'linux/arm64/v8'] });
  });

  it('needs no index', async () => {
    const server = await stub(serving(image, manifest));
    const platform = { os: 'linux', architecture: 'amd64', variant: 'v2' };
    const facts = await open().inspect(`${server.host}/a:1`, platform, minute, never);
    expect(facts).toEqual({ sizeBytes: 1110, offers: [] });
    expect(server.asked).toHaveLength(1);
  });

  it('is nothing where its index has nothing for the engine, and what it has instead is told', async () => {
    const server = await stub(both);
    const facts = await open().inspect(
      `${server.host}/a:1`,
      { os: 'linux', architecture: 's390x' },
      minute,
      never,
    );
    expect(facts).toEqual({ sizeBytes: null, offers: ['linux/amd64', 'linux/arm64/v8'] });
  });

  it('may be of an architecture that the engine runs beside its own', async () => {
    const only = JSON.stringify({ manifests: [entry('linux', 'arm', 'v7')] });
    const server = await stub((request, response, url) =>
      (url.pathname.endsWith(sha(image)) ? serving(image, manifest) : serving(only))(request, response, url),
    );
    const inspect = (architecture: string) =>
      open().inspect(`${server.host}/a:1`, { os: 'linux', architecture }, minute, never);
    expect(await inspect('arm64')).toMatchObject({ sizeBytes: 1110 });
    expect(await inspect('amd64')).toMatchObject({ sizeBytes: null });
  });

  const linux = { os: 'linux', architecture: 'amd64' };
  /** Each text under its digest, and the last one under every tag. */
  const storing =
    (...texts: readonly string[]): Handler =>
    (request, response, url) => {
      const text = texts.find((each) => url.pathname.endsWith(sha(each))) ?? texts.at(-1) ?? '';
      serving(text, text.includes('"manifests"') ? index : manifest)(request, response, url);
    };

  it.each([
    ['a chart', { config: { mediaType: 'application/vnd.cncf.helm.config.v1+json' } }, 'helm.config'],
    [
      'a bill of materials',
      { artifactType: 'application/spdx+json', config: { mediaType: 'x/empty' } },
      'spdx',
    ],
    [
      'a signature',
      { layers: [{ ...part('s', 1), mediaType: 'application/vnd.dev.cosign.x+json' }] },
      'cosign',
    ],
  ])('is nothing where the tag stands for %s', async (_what, other, word) => {
    const oci = { mediaType: 'application/vnd.oci.image.config.v1+json', ...part('c', 1) };
    const server = await stub(storing(JSON.stringify({ config: oci, layers: [], ...other })));
    const facts = await open().inspect(`${server.host}/a:1`, linux, minute, never);
    expect(facts.sizeBytes).toBeNull();
    expect(facts.instead).toContain(word);
  });

  it('is found in an index in an index, and pulled by the inner one', async () => {
    const inner = JSON.stringify({ manifests: [entry('linux', 'amd64')] });
    const outer = JSON.stringify({ manifests: [{ ...part(inner, 1), mediaType: index }] });
    const server = await stub(storing(image, inner, outer));
    const facts = await open().inspect(`${server.host}/a:1`, linux, minute, never);
    expect(facts).toEqual({ sizeBytes: 1110, offers: ['linux/amd64'], pullAs: sha(inner) });
  });

  it('is nothing where indexes stand in one another without an end', async () => {
    let texts = [image];
    for (let deep = 0; deep < 5; deep += 1)
      texts = [
        ...texts,
        JSON.stringify({ manifests: [{ ...part(texts.at(-1) ?? '', 1), mediaType: index }] }),
      ];
    const server = await stub(storing(...texts));
    const facts = await open().inspect(`${server.host}/a:1`, linux, minute, never);
    expect(facts).toEqual({ sizeBytes: null, offers: [] });
    expect(server.asked).toHaveLength(4);
  });

  it('is refused when the bytes are not those that were asked for', async () => {
    const server = await stub((request, response, url) =>
      (url.pathname.endsWith('/1') ? serving(list) : serving('{"forged":1}', manifest))(
        request,
        response,
        url,
      ),
    );
    const asking = open().inspect(
      `${server.host}/a:1`,
      { os: 'linux', architecture: 'arm64' },
      minute,
      never,
    );
    await expect(asking).rejects.toMatchObject({ code: 'registry_answer' });
  });

  it('is refused where a manifest has no layers', async () => {
    const server = await stub(serving('{}', manifest));
    const asking = open().inspect(
      `${server.host}/a:1`,
      { os: 'linux', architecture: 'arm64' },
      minute,
      never,
    );
    await expect(asking).rejects.toMatchObject({ code: 'registry_answer' });
  });
});

describe('a registry that wants to know who asks', () => {
  /** A registry that takes one token, and the token server that gives it. */
  async function guarded(expiresIn?: number) {
    const tokens = await stub((request, response) => {
      let form = '';
      request.on('data', (chunk: Buffer) => (form += chunk.toString()));
      request.on('end', () => {
        if (request.headers.authorization === undefined && !form.includes('refresh_token=r1')) {
          return void response.writeHead(401).end();
        }
        json(response, { token: 't1', ...(expiresIn === undefined ? {} : { expires_in: expiresIn }) });
      });
    });
    const challenge = `Bearer realm="http://${tokens.host}/token",service="stub",scope="repository:other:pull"`;
    const registry = await stub((request, response, url) =>
      (request.headers.authorization === 'Bearer t1'
        ? serving('{}')
        : status(401, { 'www-authenticate': challenge }))(request, response, url),
    );
    return { tokens, registry };
  }

  it('gets a token for exactly this repository, once while it lasts', async () => {
    const { tokens, registry } = await guarded();
    const opened = open({ dockerConfig: await login(registry.host) });
    for (let n = 0; n < 3; n += 1) await opened.digestOf(`${registry.host}/a/b:1`, now, never);
    expect(tokens.asked).toEqual(['GET /token?service=stub&scope=repository%3Aa%2Fb%3Apull']);
    expect(tokens.shown).toEqual([`Basic ${Buffer.from('me:secret').toString('base64')}`]);
    expect(registry.shown.filter((header) => header === undefined)).toHaveLength(1);
  });

  it('gets a new token when the old one is over', async () => {
    const { tokens, registry } = await guarded(20);
    let time = Date.now();
    const dockerConfig = await login(registry.host);
    const opened = open({ dockerConfig, clock: { ...systemClock, now: () => time } });
    await opened.digestOf(`${registry.host}/a:1`, now, never);
    time += 11_000;
    await opened.digestOf(`${registry.host}/a:1`, now, never);
    expect(tokens.asked).toHaveLength(2);
  });

  it('gets an identity token changed for an access token', async () => {
    const { tokens, registry } = await guarded();
    const dockerConfig = await configFile({ auths: { [registry.host]: { identitytoken: 'r1' } } });
    expect(await open({ dockerConfig }).digestOf(`${registry.host}/a:1`, now, never)).toBe(sha('{}'));
    expect(tokens.asked).toEqual(['POST /token']);
  });

  it('gives everybody what is for everybody, where a helper for credentials is not installed', async () => {
    const server = await stub(serving('{}'));
    const dockerConfig = await configFile({ auths: {}, credsStore: 'absent-here' });
    const opened = open({ dockerConfig });
    expect(await opened.digestOf(`${server.host}/a:1`, now, never)).toBe(sha('{}'));
    expect(await opened.authFor(`${server.host}/a`)).toBeNull();
    const { registry } = await guarded();
    const asking = open({ dockerConfig }).digestOf(`${registry.host}/a:1`, now, never);
    await expect(asking).rejects.toThrow('docker-credential-absent-here is not installed');
  });

  it('denies whoever has no credentials', async () => {
    const { registry } = await guarded();
    const asking = open().digestOf(`${registry.host}/a:1`, now, never);
    await expect(asking).rejects.toMatchObject({ code: 'registry_denied' });
    const withLogin = open({ dockerConfig: await login('elsewhere') }).authFor(`${registry.host}/a`);
    expect(await withLogin).toBeNull();
  });

  it('may ask for a plain password', async () => {
    const header = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    const server = await stub((request, response, url) =>
      (request.headers.authorization === header
        ? serving('{}')
        : status(401, { 'www-authenticate': 'Basic realm="x"' }))(request, response, url),
    );
    const opened = open({ dockerConfig: await login(server.host) });
    expect(await opened.digestOf(`${server.host}/a:1`, now, never)).toBe(sha('{}'));
    await opened.digestOf(`${server.host}/a:1`, now, never);
    expect(server.asked).toHaveLength(3);
    await expect(open().digestOf(`${server.host}/a:1`, now, never)).rejects.toMatchObject({
      code: 'registry_denied',
    });
  });

  it.each([
    ['no token server', 'Bearer service="x"'],
    ['a token server without encryption', 'Bearer realm="http://tokens.invalid/"'],
  ])('is refused with %s', async (_what, challenge) => {
    const server = await stub(status(401, { 'www-authenticate': challenge }));
    const opened = open({ dockerConfig: await login(server.host) });
    await expect(opened.digestOf(`${server.host}/a:1`, now, never)).rejects.toMatchObject({
      code: 'registry_answer',
    });
  });

  it('is refused when the token is none', async () => {
    const tokens = await stub((_request, response) => json(response, { token: 'a b\n' }));
    const server = await stub(status(401, { 'www-authenticate': `Bearer realm="http://${tokens.host}/"` }));
    await expect(open().digestOf(`${server.host}/a:1`, now, never)).rejects.toMatchObject({
      code: 'registry_answer',
    });
  });

  it('never sees its credentials carried to another place', async () => {
    const other = await stub(serving('{}'));
    const server = await stub((request, response, url) =>
      (request.headers.authorization === undefined
        ? status(401, { 'www-authenticate': 'Basic realm="x"' })
        : status(307, { location: `http://${other.host}${url.pathname}` }))(request, response, url),
    );
    const opened = open({ dockerConfig: await login(server.host) });
    expect(await opened.digestOf(`${server.host}/a:1`, now, never)).toBe(sha('{}'));
    expect(other.shown).toEqual([undefined]);
  });

  it('stays logged in over a redirect within itself', async () => {
    const server = await stub((request, response, url) => {
      if (url.pathname === '/moved') return serving('{}')(request, response, url);
      status(307, { location: '/moved' })(request, response, url);
    });
    expect(await open().digestOf(`${server.host}/a:1`, now, never)).toBe(sha('{}'));
  });
});
