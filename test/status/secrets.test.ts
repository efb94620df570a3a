import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { mkdtemp, mkdir, rm, writeFile, readFile, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { run } from '../../src/cli/run.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openStatusServer } from '../../src/status/index.ts';
import { pageFileNames } from '../../src/status/page.ts';
import { event } from '../journal/sample.ts';
import { github, view } from './view.ts';
import { routes } from '../../src/status/routes.ts';
import { terminal } from '../cli/terminal.ts';
import { cert, key } from './certificate.ts';
import { ask } from './ask.ts';

const folders: string[] = [];
afterEach(() => Promise.all(folders.splice(0).map((each) => rm(each, { recursive: true, force: true }))));

const manifest = `version: "1.1"
servers:
  - name: mcp-server-one
    version: "1.0.0"
    docker: { image: liminalcommons/one, port: 8080 }
    config:
      env: { PLANTED: planted-in-environment }
      secrets: [{ name: TOKEN, required: true }]
`;
const planted = [
  'planted-in-environment',
  'planted-secret',
  'planted-access',
  'planted-process',
  'PRIVATE KEY',
];

it('a program with secrets planted everywhere tells none of them, over TLS and with a token', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'planted-'));
  folders.push(folder);
  const file = (name: string): string => join(folder, name);
  await mkdir(file('secrets/mcp-server-one'), { recursive: true });
  await Promise.all([
    writeFile(file('manifest.yaml'), manifest),
    writeFile(file('secrets/mcp-server-one/TOKEN'), 'planted-secret'),
    writeFile(file('token'), 'planted-access'),
    writeFile(file('cert.pem'), cert),
    writeFile(file('key.pem'), key),
  ]);
  const ended = new AbortController();
  const io = {
    ...terminal({ signal: ended.signal, env: { MCP_SECRET_OTHER: 'planted-process' } }),
    version: '0',
  };
  const line = ['run', '--manifest', file('manifest.yaml'), '--state', file('state'), '--runtime', 'memory'];
  const more = ['--secrets', file('secrets'), '--token-file', file('token'), '--listen', '127.0.0.1:0'];
  const tls = ['--tls-cert', file('cert.pem'), '--tls-key', file('key.pem')];
  const loud = ['--log-level', 'debug', '--log-format', 'text'];
  const code = runProgram([run], [...line, ...more, ...tls, ...loud], io);
  const headers = { Authorization: 'Bearer planted-access' };
  await expect.poll(() => io.stderr.text).toContain('manifest_synced');
  const url = /https:\/\/127\.0\.0\.1:\d+/.exec(io.stderr.text)?.[0] ?? '';
  const answers: string[] = [];
  for (const path of paths('mcp-server-one')) {
    const got = await ask(url, path, { headers });
    answers.push(`${JSON.stringify(got.headers)}${got.bytes.toString()}`);
  }
  answers.push(await firstOfStream(url, headers));
  ended.abort();
  expect(await code).toBe(0);
  const written = await readdir(file('state'), { recursive: true, withFileTypes: true });
  for (const each of written.filter((one) => one.isFile() && one.name.endsWith('.jsonl')))
    answers.push(await readFile(join(each.parentPath, each.name), 'utf8'));
  answers.push(io.stdout.text, io.stderr.text);
  expect(answers.join('\n')).toContain('mcp-server-one');
  expect(io.stderr.text).toContain('manifest_synced');
  expect(answers.flatMap((text) => planted.filter((word) => text.includes(word)))).toEqual([]);
});

it('what a server wrote and answered is in no answer of ours, on no route', async () => {
  const server = await openStatusServer({
    listen: { host: '127.0.0.1', port: 0 },
    ...{ token: null, allowHosts: [], clock: systemClock, bootId: 'b1', programVersion: '0' },
  });
  const evidence = { reason: 'exit_1', log: ['password=planted-log'], answers: ['planted-body'] };
  const aside = { event_type: 'version_quarantined', gate: 'health', evidence };
  for (const tell of ['recall', 'note'] as const)
    server[tell](event(1, { ...aside, server_name: github.name }));
  server.publish(view([github]));
  const told = await Promise.all(paths('github').map((path) => ask(server.url, path)));
  const texts = [...told.map(({ bytes }) => bytes.toString()), await firstOfStream(server.url, {})];
  await server.close();
  expect(texts.join('\n')).toContain('version_quarantined');
  expect(texts.filter((text) => text.includes('planted'))).toEqual([]);
});

/** Every route that ends, and the files of the page. */
const paths = (id: string): readonly string[] => [
  ...routes.filter((each) => each.streams === undefined).map(({ path }) => path.replace('{id}', id)),
  ...pageFileNames.map((name) => `/page/${name}`),
];

async function firstOfStream(url: string, headers: Record<string, string>): Promise<string> {
  const send = url.startsWith('https') ? tlsRequest : request;
  const asked = send(`${url}/health/stream`, { agent: false, ca: cert, headers }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let text = '';
  for await (const piece of response) {
    text += String(piece);
    if (text.includes('"snapshot"') && text.endsWith('\n\n')) break;
  }
  return text;
}

it.each([
  [['--tls-cert', 'cert.pem'], '--tls-cert and --tls-key are needed together'],
  [['--tls-cert', 'no.pem', '--tls-key', 'no.pem'], '--tls-cert no.pem cannot be read'],
  [
    ['--tls-cert', 'package.json', '--tls-key', 'package.json'],
    '--tls-cert package.json and --tls-key package.json do not serve',
  ],
])('%j is refused in a sentence', async (more, sentence) => {
  const io = { ...terminal(), version: '0' };
  expect(await runProgram([run], ['run', '--manifest', 'nothing.yaml', ...more], io)).toBe(64);
  expect(io.stderr.text).toContain(sentence);
});
