import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { openStatusServer } from '../../src/status/index.ts';
import type { StatusServer } from '../../src/status/status.ts';
import { event } from '../journal/sample.ts';
import { coda, github, record, view } from './view.ts';

const quiet = '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking';
const args = `${quiet} --disable-component-update --disable-sync`.split(' ');

const hostile = record('x', {
  id: '<img src=x onerror=alert(1)>',
  name: '<img src=x onerror=alert(1)>',
  namespace: '"><script>alert(2)</script>',
  description: '</dd><svg onload=alert(3)>',
  why: "'; alert(4) //",
  version: '<b>1</b>',
  trace_id: 'javascript:alert(5)',
});

let browser: Browser;
let server: StatusServer;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
}, 60_000);
afterAll(() => browser.close());

const serve = (port = 0, token: string | null = null): Promise<StatusServer> =>
  openStatusServer({
    listen: { host: '127.0.0.1', port },
    token,
    allowHosts: [],
    clock: systemClock,
    bootId: 'b1',
    programVersion: '0.1.0',
  });

async function newPage(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
  const made = await (await browser.newContext(options)).newPage();
  made.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  made.on('pageerror', (error) => complaints.push(error.message));
  made.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  made.on('request', (request) => {
    if (!request.url().startsWith('http://127.0.0.1:')) complaints.push(`asked for ${request.url()}`);
  });
  return made;
}

beforeEach(async () => {
  complaints = [];
  server = await serve();
  page = await newPage();
});
afterEach(async () => {
  await page.context().close();
  await server.close();
});

const item = (name: string) =>
  page.locator('#servers > li').filter({ has: page.locator('.name').getByText(name, { exact: true }) });
const sick = {
  ...coda,
  health: 'unhealthy',
  status: 'down',
  reason: 'timeout',
  why: 'attempt 2 of 3 in 5 s',
} as const;

describe('the page', () => {
  it('shows every server with state, version, reason, update, quarantine and availability, and what happened', async () => {
    server.note(
      event(1, {
        event_type: 'server_down',
        server_name: coda.name,
        from: 'healthy',
        to: 'unhealthy',
        reason: 'timeout',
      }),
    );
    server.publish(view([github, sick]));
    await page.goto(server.url);
    await item(coda.name).waitFor();
    expect(await item(coda.name).locator('summary').innerText()).toMatch(
      /unhealthy[^]*ready[^]*1\.4\.2[^]*timeout: attempt 2 of 3/,
    );
    expect(await page.locator('#live').innerText()).toBe('live');
    expect(await page.locator('#summary').innerText()).toBe('2 servers, 1 healthy, 1 unhealthy');
    await item(coda.name).locator('summary').press('Enter');
    await item(coda.name).locator('.timeline li').first().waitFor();
    const text = await item(coda.name).innerText();
    for (const wanted of ['set aside', '1.4.1 at health', 'server_down', 'semantic, draining', 'draining'])
      expect(text).toContain(wanted);
    await expect
      .poll(() => item(github.name).locator('svg[role=img]').getAttribute('aria-label'))
      .toMatch(/^100 % available since/);
    expect(complaints).toEqual([]);
  });

  it('follows what happens, and says when it is cut off and when it is back', async () => {
    server.publish(view([github, coda]));
    await page.goto(server.url);
    await item(coda.name).waitFor();
    server.publish(view([github, sick, record('mcp-server-new')]));
    await page.locator('#servers > li[data-health=unhealthy]').waitFor();
    await item('mcp-server-new').waitFor();
    server.publish(view([github, sick]));
    await item('mcp-server-new').waitFor({ state: 'detached' });
    const { port } = new URL(server.url);
    await server.close();
    await page.locator('#live.cut', { hasText: 'cut off from the orchestrator' }).waitFor();
    expect(await item(coda.name).count()).toBe(1);
    server = await serve(Number(port));
    server.publish(view([github]));
    await page.locator('#live.live').waitFor();
    await item(coda.name).waitFor({ state: 'detached' });
  });

  it('takes hostile names for text', async () => {
    server.note(
      event(1, {
        event_type: 'server_down',
        server_name: hostile.name,
        trace_id: '<script>alert(6)</script>',
        reason: '<i>x</i>',
      }),
    );
    server.publish(view([hostile]));
    await page.goto(server.url);
    await item(hostile.name).locator('summary').click();
    await page.getByText(hostile.description ?? '').waitFor();
    expect(await item(hostile.name).locator('.name').innerText()).toBe(hostile.name);
    expect(await page.locator('#servers img, #servers script, #servers b, #events i').count()).toBe(0);
    await page.locator('#events button').first().click();
    await page.locator('#trace', { hasText: 'alert(6)' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('shows nothing that turns the direction of writing or steers', async () => {
    const turns = 'up \u202e\u2066 nwod \u001b[2J';
    server.note(event(1, { event_type: 'server_down', server_name: github.name, reason: turns }));
    server.publish(view([{ ...github, why: turns, description: turns }]));
    await page.goto(server.url);
    await item(github.name).locator('summary').click();
    await page.locator('#events li', { hasText: 'server_down' }).waitFor();
    await item(github.name).locator('dd', { hasText: 'nwod' }).waitFor();
    const text = String(await page.evaluate('document.documentElement.outerHTML'));
    expect(text.match(/nwod/g)?.length).toBeGreaterThanOrEqual(3);
    expect(text).not.toMatch(/[\u202e\u2066\u001b]/);
    expect(complaints).toEqual([]);
  });

  it('runs nothing that is not its own', async () => {
    server.publish(view([github]));
    const answer = await page.goto(server.url);
    expect(answer?.headers()['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    );
    await page.evaluate(
      'document.body.insertAdjacentHTML(\'beforeend\', \'<img src=x onerror="window.ran=1"><p style="color:red">\')',
    );
    await expect.poll(() => complaints.length).toBeGreaterThan(0);
    expect(await page.evaluate('window.ran')).toBeUndefined();
  });

  it('shows what one trace caused', async () => {
    server.note(event(1, { trace_id: 'mine', server_name: coda.name }));
    server.note(event(2, { trace_id: 'other', server_name: github.name }));
    server.publish(view([github, coda]));
    await page.goto(server.url);
    await page.locator('#events > li').nth(1).waitFor();
    await page.getByRole('button', { name: 'mine' }).click();
    await page.locator('#trace', { hasText: 'Only what mine caused' }).waitFor();
    expect(await page.locator('#events > li').count()).toBe(1);
    await page.getByRole('button', { name: 'show everything' }).click();
    await page.locator('#events > li').nth(1).waitFor();
  });

  it('is used with the keyboard and read aloud', async () => {
    server.publish(view([github, sick]));
    await page.goto(server.url);
    await item(coda.name).waitFor();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('To the servers');
    await page.keyboard.press('Tab');
    await page.keyboard.type('unhealthy');
    expect(await page.locator('#servers > li:visible').count()).toBe(1);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('details[open] dl').waitFor();
    const aloud = await page.locator('body').ariaSnapshot();
    for (const wanted of [
      'heading "Servers"',
      'status: live',
      'searchbox "Find"',
      'checkbox "only those in trouble"',
      'img "',
    ])
      expect(aloud).toContain(wanted);
  });

  it('leaves the focus where it is while things happen', async () => {
    server.note(event(1, { trace_id: 'mine', server_name: coda.name }));
    server.publish(view([github, coda]));
    await page.goto(server.url);
    await item(coda.name).locator('summary').press('Enter');
    const focused = (): Promise<unknown> => page.evaluate('document.activeElement.textContent');
    for (const list of [page.locator('#events'), item(coda.name).locator('.timeline')]) {
      const before = await list.locator('li').count();
      await list.getByRole('button', { name: 'mine' }).focus();
      server.note(event(before + 1, { trace_id: 'other', server_name: coda.name }));
      server.publish(view([github, { ...sick, consecutive_failures: before }]));
      await list.locator('li').nth(before).waitFor();
      expect(await focused()).toBe('mine');
    }
    await page.locator('#events').getByRole('button', { name: 'mine' }).press('Enter');
    await page.getByRole('button', { name: 'show everything' }).press('Enter');
    await page.locator('#trace').waitFor({ state: 'hidden' });
    expect(await focused()).toBe('What happened');
  });

  it('is live while the stream is, though one question failed', async () => {
    server.publish(view([github]));
    await page.clock.install();
    await page.route('**/events?limit=60', (route) => route.abort());
    await page.goto(server.url);
    await page.locator('#late:not([hidden])').waitFor();
    expect(await page.locator('#live').innerText()).toBe('live');
    await page.unroute('**/events?limit=60');
    await page.clock.fastForward(7_000);
    await page.locator('#late').waitFor({ state: 'hidden' });
  });

  it('comes back by itself when the network went away without a word', async () => {
    const network = await openNetwork(new URL(server.url));
    server.publish(view([github, coda]));
    await page.clock.install();
    await page.goto(network.url);
    await item(coda.name).waitFor();
    network.freeze();
    server.publish(view([github]));
    await page.clock.fastForward(46_000);
    await item(coda.name).waitFor({ state: 'detached' });
    await page.locator('#live.live').waitFor();
    network.close();
  });

  it('shows only those in trouble when asked', async () => {
    server.publish(view([github, sick]));
    await page.goto(server.url);
    await item(coda.name).waitFor();
    await page.getByLabel('only those in trouble').check();
    expect(await page.locator('#servers > li:visible').allInnerTexts()).toEqual([
      expect.stringContaining(coda.name),
    ]);
    await page.getByLabel('Find').fill('nobody at all');
    await page.getByText('No server is like that.').waitFor();
  });

  it.each([
    ['a phone', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' as const }],
    ['a desk', { viewport: { width: 1280, height: 900 }, colorScheme: 'light' as const }],
  ])('is fine with 200 servers on %s', async (name, options) => {
    const many = Array.from({ length: 198 }, (_, n) => record(`mcp-server-${String(n).padStart(3, '0')}`));
    const long = record(`mcp-server-${'very-'.repeat(10)}long`, { why: 'w'.repeat(300) });
    server.publish(view([...many, sick, long]));
    await page.context().close();
    page = await newPage(options);
    const begun = performance.now();
    await page.goto(server.url);
    await page.locator('#servers > li').nth(199).waitFor({ state: 'attached' });
    const took = performance.now() - begun;
    const wide = await page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    const back = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    console.log(`200 servers on ${name}: ${took.toFixed(0)} ms`);
    const { SCREENSHOTS: folder } = process.env;
    if (folder !== undefined)
      await writeFile(`${folder}/${name.split(' ')[1] ?? ''}.png`, await page.screenshot());
    expect([wide, back]).toEqual([
      0,
      options.colorScheme === 'dark' ? 'rgb(21, 23, 26)' : 'rgb(251, 251, 249)',
    ]);
    expect(complaints).toEqual([]);
  });

  it('asks for the token as a password', async () => {
    const own = await serve(0, 'hunter2');
    own.publish(view([github]));
    const known = await newPage({ httpCredentials: { username: 'me', password: 'hunter2' } });
    await known.goto(own.url);
    await known.locator('#live.live').waitFor();
    await known.locator('#servers > li').first().waitFor();
    await known.context().close();
    await own.close();
  });
});

/** A wire to `to` on which whoever follows the stream can be left in silence, without an end. */
async function openNetwork(to: URL): Promise<{ url: string; freeze(): void; close(): void }> {
  const wires: Socket[] = [];
  const following: Socket[] = [];
  const network = createServer((near) => {
    const far = connect(Number(to.port), to.hostname);
    for (const wire of [near, far]) wire.on('error', () => wire.destroy());
    near.on('data', (asked: Buffer) => asked.includes('GET /health/stream') && following.push(near, far));
    near.pipe(far).pipe(near);
    wires.push(near, far);
  });
  await once(network.listen(0, '127.0.0.1'), 'listening');
  const { port } = network.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    freeze() {
      for (const wire of following) wire.unpipe().pause();
    },
    close() {
      for (const wire of wires) wire.destroy();
      network.close();
    },
  };
}
