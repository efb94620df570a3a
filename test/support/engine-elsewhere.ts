// Opens a private engine wherever this process is, restarts it, and lets one container ask another on a network of theirs.
// Prints {answer, record} as JSON; `answer` is the status of what the one was told by the other.
import { askEngine } from '../../examples/engine/engine-call.ts';
import { openEngine, type PrivateEngine } from '../../examples/engine/engine.ts';
import { buildTestServerImage } from './test-server-image.ts';

/** Ends with 42 once it was answered. */
const ask = `
const end = Date.now() + 20_000;
const again = () => fetch('http://asked:8080/health', { signal: AbortSignal.timeout(2_000) })
  .then(({ status }) => process.exit(status === 200 ? 42 : 1), () => Date.now() < end ? setTimeout(again, 200) : process.exit(2));
again();`;

const engine = (await openEngine({
  alwaysPrivate: true,
  env: { ...process.env, MCP_ORCHESTRATION_TEST_ENGINE: '' },
})) as PrivateEngine;
try {
  const { reference } = await buildTestServerImage({ engine, name: 'meets', version: '1.0.0' });
  await post('/networks/create', { Name: 'meeting' });
  await engine.restartEngine();
  await run('asked', { Image: reference });
  const asking = await run('asking', { Image: reference, Cmd: ['node', '-e', ask] });
  const ended = await askEngine(engine.docker.socket, `/containers/${asking}/wait`, {
    method: 'POST',
    deadlineMs: 60_000,
  });
  const { StatusCode: answer } = JSON.parse(ended.text) as { readonly StatusCode: number };
  console.log(JSON.stringify({ answer, record: engine.record }));
} finally {
  await engine.stop();
}

async function run(name: string, image: object): Promise<string> {
  const made = await post(`/containers/create?name=${name}`, {
    ...image,
    HostConfig: { NetworkMode: 'meeting' },
  });
  const { Id } = JSON.parse(made) as { readonly Id: string };
  await post(`/containers/${Id}/start`, {});
  return Id;
}

async function post(path: string, body: object): Promise<string> {
  const order = { method: 'POST', body: JSON.stringify(body), deadlineMs: 60_000 } as const;
  return (await askEngine(engine.docker.socket, path, order)).text;
}
