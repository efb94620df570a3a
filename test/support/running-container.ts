import { askEngine } from '../../examples/engine/engine-call.ts';
import type { OpenedEngine } from '../../examples/engine/engine.ts';
import { until } from '../../examples/engine/commands.ts';

interface ContainerOrder {
  readonly image: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The port inside, 8080 when not given. */
  readonly port?: number;
}

export interface RunningContainer {
  readonly id: string;
  /** `http://127.0.0.1:<published port>` */
  readonly url: string;
  /** SIGTERM, and SIGKILL after ten seconds; gives the exit code. */
  stop(): Promise<number>;
  signal(name: string): Promise<void>;
  /** Waits for its own end; gives the exit code. Throws after `deadlineMs`. */
  ended(deadlineMs?: number): Promise<number>;
  logs(): Promise<string>;
  remove(): Promise<void>;
}

/** Starts a container of a test's own, published on loopback; the test removes it. */
export async function startContainer(engine: OpenedEngine, order: ContainerOrder): Promise<RunningContainer> {
  const port = `${order.port ?? 8080}/tcp`;
  const body = JSON.stringify({
    Image: order.image,
    Env: Object.entries(order.env ?? {}).map(([key, value]) => `${key}=${value}`),
    ExposedPorts: { [port]: {} },
    HostConfig: { Init: false, PortBindings: { [port]: [{ HostIp: '127.0.0.1', HostPort: '' }] } },
  });
  const socket = engine.docker.socket;
  const created = await askEngine(socket, '/containers/create', { method: 'POST', body, deadlineMs: 60_000 });
  const { Id: id } = JSON.parse(created.text) as { readonly Id: string };
  await askEngine(socket, `/containers/${id}/start`, { method: 'POST', deadlineMs: 60_000 });
  return containerOf(socket, id, await publishedUrl(socket, id, port));
}

/** Waits until `url` answers with any status. Throws after `deadlineMs`. */
export async function answersAt(url: string, deadlineMs = 15_000): Promise<void> {
  const asked = async (): Promise<boolean> =>
    fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
      () => true,
      () => false,
    );
  if (!(await until(asked, deadlineMs, 50))) throw new Error(`nothing answers at ${url}`);
}

function containerOf(socket: string, id: string, url: string): RunningContainer {
  const post = async (action: string): Promise<void> =>
    void (await askEngine(socket, `/containers/${id}/${action}`, { method: 'POST', deadlineMs: 60_000 }));
  const ended = async (deadlineMs = 20_000): Promise<number> => {
    const path = `/containers/${id}/wait`;
    const { text } = await askEngine(socket, path, { method: 'POST', deadlineMs });
    return (JSON.parse(text) as { readonly StatusCode: number }).StatusCode;
  };
  return {
    id,
    url,
    ended,
    signal: (name) => post(`kill?signal=${name}`),
    stop: async () => {
      await post('stop?t=10');
      return ended();
    },
    logs: async () => (await askEngine(socket, `/containers/${id}/logs?stdout=1&stderr=1`)).text,
    remove: async () => void (await askEngine(socket, `/containers/${id}?force=1&v=1`, { method: 'DELETE' })),
  };
}

async function publishedUrl(socket: string, id: string, port: string): Promise<string> {
  const { text } = await askEngine(socket, `/containers/${id}/json`);
  const state = JSON.parse(text) as {
    readonly NetworkSettings: {
      readonly Ports?: Readonly<Record<string, readonly { readonly HostPort: string }[] | null>>;
    };
  };
  // A program that ended at once has no port any more; such a test does not ask for it.
  return `http://127.0.0.1:${state.NetworkSettings.Ports?.[port]?.[0]?.HostPort ?? 0}`;
}
