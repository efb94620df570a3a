import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/lib/clock.ts';
import { imageRefOf } from '../../../src/model/spec.ts';
import { dockerRuntime } from '../../../src/runtime/index.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import { aBirth, aSpec, someDigest } from '../../runtime/births.ts';
import { FakeEngine } from '../../support/fake-engine.ts';
import type { Random } from '../../support/random.ts';
import { damaged } from '../damage.ts';
import { brokenInFailure, type Field } from '../field.ts';

type Change = (path: string, value: unknown) => unknown;

/** What an engine answers when it is looked at: the record of one container of ours, or anything. */
export async function engineField(): Promise<Field> {
  const engine = await FakeEngine.open();
  const secret = 'zQ417203k';
  const made = await containersIn(engine, secret);
  const front = await Front.open(engine.socket);
  const look = async (change: Change): Promise<Awaited<ReturnType<Runtime['observe']>>> => {
    front.change = change;
    return runtimeAt(front.socket).observe([imageRefOf(made.spec)], AbortSignal.timeout(10_000));
  };
  const well = await look((_path, value) => value);
  const neighbour = JSON.stringify(well.instances.find(({ id }) => id === made.good));
  return {
    name: 'engine',
    async attempt(random) {
      const onlyOne = random.chance(0.6);
      const seen = await look(onlyOne ? ofOne(random, made.bad) : ofAny(random)).catch(
        (error: unknown) => error,
      );
      if (seen instanceof Error)
        return [
          ...brokenInFailure(seen, [secret]),
          ...(onlyOne ? [`one bad record, and nothing is seen: ${seen.message}`] : []),
        ];
      const { instances } = seen as typeof well;
      const after = JSON.stringify(instances.find(({ id }) => id === made.good));
      return [
        ...(onlyOne && after !== neighbour
          ? [`one bad record changes the other: ${after ?? 'it is gone'}`]
          : []),
        ...(JSON.stringify(seen).includes(secret) ? ['a secret is in what was seen'] : []),
      ];
    },
    async close() {
      await front.close();
      await engine.destroy();
    },
  };
}

const runtimeAt = (socket: string): Runtime =>
  dockerRuntime({ address: socket, clock: systemClock, owner: 'default', publishAddress: '127.0.0.1' });

interface Made {
  readonly good: string;
  readonly bad: string;
  readonly spec: ReturnType<typeof aSpec>;
}

async function containersIn(engine: FakeEngine, secret: string): Promise<Made> {
  const runtime = runtimeAt(engine.socket);
  const ids: string[] = [];
  const specs = ['mcp-server-a', 'mcp-server-b'].map((server, position) =>
    aSpec({
      ...{ server, image: `docker.io/liminalcommons/${server}:1.0.0`, env: { LOG_LEVEL: 'info' } },
      ...{ imageDigest: someDigest(position === 0 ? 'a' : 'b') },
    }),
  );
  for (const [position, spec] of specs.entries()) {
    engine.registry.add(imageRefOf(spec));
    await runtime.pull(spec, () => undefined, AbortSignal.timeout(10_000));
    const birth = aBirth({ spec, instance: `i-000${position}`, secrets: { PASSWORD: secret } });
    ids.push((await runtime.create(birth, AbortSignal.timeout(10_000))).id);
  }
  const [good = '', bad = ''] = ids;
  return { good, bad, spec: specs[0] ?? aSpec() };
}

/** Its row in the list and its own page, each in a way of its own; the list itself stays a list of records. */
function ofOne(random: Random, id: string): Change {
  return (path, value) => {
    if (path.includes(`/containers/${id}/json`)) return damaged(random, value);
    if (!path.endsWith('/containers/json') || !random.chance(0.4)) return value;
    return (value as readonly { readonly Id: string }[]).map((row) =>
      row.Id === id ? damaged(random, row) : row,
    );
  };
}

const ofAny =
  (random: Random): Change =>
  (_path, value) =>
    random.chance(0.5) ? damaged(random, value) : value;

/** A socket in front of an engine, which changes what it answers to GET. */
class Front {
  change: Change = (_path, value) => value;
  readonly socket: string;
  readonly #server = createServer((asked, answer) => void this.#serve(asked, answer));
  readonly #behind: string;

  private constructor(socket: string, behind: string) {
    this.socket = socket;
    this.#behind = behind;
  }

  static async open(behind: string): Promise<Front> {
    const front = new Front(join(await mkdtemp(join(tmpdir(), 'fuzz-engine-')), 'docker.sock'), behind);
    await new Promise<void>((listening) => front.#server.listen(front.socket, listening));
    return front;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
    await rm(join(this.socket, '..'), { recursive: true, force: true });
  }

  async #serve(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const path = asked.url?.split('?')[0] ?? '';
    const { status, text } = await this.#ask(asked);
    const body = status === 200 ? JSON.stringify(this.change(path, JSON.parse(text))) : text;
    answer.writeHead(status, { 'content-type': 'application/json' }).end(body);
  }

  #ask({ url, method }: IncomingMessage): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const behind = request({ socketPath: this.#behind, path: url, method, agent: false }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => (text += part));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 500, text }));
      });
      behind.on('error', reject).end();
    });
  }
}
