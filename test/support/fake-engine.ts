import { EventEmitter } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What may go wrong with one answer. */
export type Fault =
  | { readonly kind: 'cut' | 'stall' | 'never' | 'html' | 'garbage' | 'hangup' }
  | { readonly kind: 'status'; readonly status: number; readonly message: string }
  /** The answer's bytes as they are, in pieces a few milliseconds apart. */
  | { readonly kind: 'pieces'; readonly pieces: readonly Uint8Array[] };

interface FakeNetwork {
  Id: string;
  Name: string;
  Created: string;
  Internal: boolean;
  Labels: Record<string, string>;
}

interface FakeContainer {
  Id: string;
  Name: string;
  Created: string;
  Image: string;
  State: {
    Status: string;
    Running: boolean;
    Paused: boolean;
    OOMKilled: boolean;
    ExitCode: number;
    StartedAt: string;
    FinishedAt: string;
    Health?: { Status: string };
  };
  Config: {
    Image: string;
    Cmd: string[] | null;
    Entrypoint: string[] | null;
    Env: string[];
    User: string;
    Labels: Record<string, string>;
  };
  HostConfig: Record<string, unknown> & {
    PortBindings?: Record<string, { HostPort: string; HostIp: string }[]>;
  };
  NetworkSettings: { Networks: Record<string, { NetworkID: string; Aliases: string[] | null }> };
}

const NEVER = '0001-01-01T00:00:00Z';
const iso = (): string => new Date().toISOString();

/**
 * A Docker Engine as far as its wire goes: the API on a unix socket over containers that are only records. For faults that
 * a real engine cannot be made to have; what the engine really does is tested on a real one.
 */
export class FakeEngine {
  readonly socket: string;
  readonly calls: string[] = [];
  readonly containers = new Map<string, FakeContainer>();
  readonly networks = new Map<string, FakeNetwork>();
  /** On disk: reference -> image id. */
  readonly images = new Map<string, string>();
  /** What can be pulled: `repository@digest`. */
  readonly registry = new Set<string>();
  readonly auths: string[] = [];
  version: Record<string, unknown> = {
    Version: '20.10.24',
    ApiVersion: '1.41',
    MinAPIVersion: '1.12',
    Os: 'linux',
    Arch: 'amd64',
  };
  info: Record<string, unknown> = { ID: 'FAKE', CpuCfsQuota: true, MemoryLimit: true, PidsLimit: true };
  readonly #server: Server;
  readonly #faults: { readonly call: RegExp; readonly fault: Fault; left: number }[] = [];
  readonly #events = new EventEmitter().setMaxListeners(0);
  readonly #history: { readonly at: number; readonly line: string }[] = [];
  #count = 0;

  private constructor(socket: string) {
    this.socket = socket;
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#makeNetwork('bridge', {});
  }

  static async open(): Promise<FakeEngine> {
    const folder = await mkdtemp(join(tmpdir(), 'fake-engine-'));
    const engine = new FakeEngine(join(folder, 'docker.sock'));
    await engine.listen();
    return engine;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(this.socket, resolve));
  }

  /** As if the daemon had ended: nobody listens, every connection is gone. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async destroy(): Promise<void> {
    await this.close();
    await rm(join(this.socket, '..'), { recursive: true, force: true });
  }

  /** The next calls that match, e.g. `/GET .*containers.json/`, go wrong. */
  fault(call: RegExp, fault: Fault, times = 1): void {
    this.#faults.push({ call, fault, left: times });
  }

  callsTo(pattern: RegExp): string[] {
    return this.calls.filter((call) => pattern.test(call));
  }

  /** Ends every open event stream. */
  cutEvents(): void {
    this.#events.emit('cut');
  }

  emit(type: string, action: string, id: string, attributes: Record<string, string> = {}): void {
    const now = Date.now();
    const event = {
      Type: type,
      Action: action,
      Actor: { ID: id, Attributes: attributes },
      timeNano: now * 1e6 + this.#next(),
    };
    const line = `${JSON.stringify(event)}\n`;
    this.#history.push({ at: now, line });
    this.#events.emit('line', line);
  }

  /** A container that nobody made through the API. */
  addContainer(
    name: string,
    order: { labels?: Record<string, string>; hostPort?: number } = {},
  ): FakeContainer {
    const bindings = { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: String(order.hostPort ?? 0) }] };
    const body = {
      Labels: order.labels ?? {},
      HostConfig: order.hostPort === undefined ? {} : { PortBindings: bindings },
    };
    const container = this.#make(name, body);
    this.run(container);
    return container;
  }

  run(container: FakeContainer): void {
    Object.assign(container.State, {
      Status: 'running',
      Running: true,
      StartedAt: iso(),
      ExitCode: 0,
      OOMKilled: false,
    });
    this.#say(container, 'start');
  }

  end(container: FakeContainer, code: number, oom = false): void {
    if (!container.State.Running) return;
    Object.assign(container.State, {
      Status: 'exited',
      Running: false,
      FinishedAt: iso(),
      ExitCode: code,
      OOMKilled: oom,
    });
    this.#say(container, 'die', { exitCode: String(code) });
  }

  find(key: string): FakeContainer | undefined {
    return this.containers.get(key) ?? [...this.containers.values()].find((each) => each.Name === `/${key}`);
  }

  say(container: FakeContainer, action: string, more: Record<string, string> = {}): void {
    this.#say(container, action, more);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const url = new URL(request.url ?? '/', 'http://engine');
    const path = url.pathname.replace(/^\/v[\d.]+/, '');
    const call = `${request.method} ${url.pathname}`;
    this.calls.push(call);
    const fault = this.#faults.find((each) => each.left > 0 && each.call.test(call));
    if (fault !== undefined) {
      fault.left -= 1;
      return misbehave(fault.fault, response);
    }
    const auth = request.headers['x-registry-auth'];
    if (typeof auth === 'string') this.auths.push(Buffer.from(auth, 'base64').toString());
    const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
    this.#route({ method: request.method ?? '', path, query: url.searchParams, body, response });
  }

  #route(asked: Asked): void {
    const { method, path, response } = asked;
    const parts = path.split('/').slice(1);
    const [kind = '', ...rest] = parts;
    if (path === '/version') return json(response, 200, this.version);
    if (path === '/info') return json(response, 200, this.info);
    if (path === '/events') return this.#stream(asked);
    if (kind === 'containers') return this.#containerRoute(asked, rest);
    if (kind === 'images') return this.#imageRoute(asked, rest);
    if (kind === 'networks') return this.#networkRoute(asked, rest);
    json(response, 404, { message: `page not found: ${method} ${path}` });
  }

  #stream({ query, response }: Asked): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const since = Number(query.get('since') ?? Infinity) * 1000;
    this.#history.filter((past) => past.at >= Math.floor(since)).forEach((past) => response.write(past.line));
    const write = (line: string): boolean => response.write(line);
    this.#events.on('line', write);
    this.#events.once('cut', () => response.destroy());
    response.on('close', () => this.#events.off('line', write));
  }

  #containerRoute({ method, query, body, response }: Asked, [key = '', verb = '']: string[]): void {
    if (key === 'json') return json(response, 200, [...this.containers.values()].map(rowOf));
    if (key === 'create') return this.#create(query.get('name') ?? '', body, response);
    const container = this.find(decodeURIComponent(key));
    if (container === undefined) return json(response, 404, { message: `No such container: ${key}` });
    if (method === 'DELETE') return this.#remove(container, response);
    if (verb === 'json') return json(response, 200, container);
    if (verb === 'logs')
      return void response.writeHead(200).end(frame(1, `hello from ${container.Name}\nready\n`));
    if (verb === 'start') return this.#start(container, response);
    return this.#stop(container, verb, response);
  }

  #create(name: string, body: Record<string, unknown>, response: ServerResponse): void {
    if (this.find(name) !== undefined) {
      return json(response, 409, {
        message: `Conflict. The container name "/${name}" is already in use by container "x".`,
      });
    }
    if (!this.#onDisk(String(body['Image'])))
      return json(response, 404, { message: `No such image: ${String(body['Image'])}` });
    json(response, 201, { Id: this.#make(name, body).Id, Warnings: [] });
  }

  #make(name: string, body: Record<string, unknown>): FakeContainer {
    const hostConfig = (body['HostConfig'] ?? {}) as FakeContainer['HostConfig'];
    const endpoints = (body['NetworkingConfig'] ?? { EndpointsConfig: {} }) as {
      EndpointsConfig: Record<string, { Aliases: string[] }>;
    };
    const id = this.#id();
    const container: FakeContainer = {
      Id: id,
      Name: `/${name}`,
      Created: iso(),
      Image: this.images.get(String(body['Image'])) ?? 'sha256:none',
      State: {
        Status: 'created',
        Running: false,
        Paused: false,
        OOMKilled: false,
        ExitCode: 0,
        StartedAt: NEVER,
        FinishedAt: NEVER,
      },
      Config: {
        Image: String(body['Image']),
        Cmd: (body['Cmd'] as string[] | undefined) ?? ['node', 'server.js'],
        Entrypoint: null,
        Env: [...((body['Env'] as string[] | undefined) ?? []), 'PATH=/bin'],
        User: (body['User'] as string | undefined) ?? '1000',
        Labels: (body['Labels'] ?? {}) as Record<string, string>,
      },
      HostConfig: hostConfig,
      NetworkSettings: { Networks: {} },
    };
    this.containers.set(id, container);
    this.#say(container, 'create');
    for (const [network, { Aliases }] of Object.entries(endpoints.EndpointsConfig))
      this.#join(container, network, Aliases);
    return container;
  }

  #start(container: FakeContainer, response: ServerResponse): void {
    if (container.State.Running) return void response.writeHead(304).end();
    const port = hostPorts(container)[0];
    const taken = [...this.containers.values()].some(
      (each) => each.State.Running && port !== undefined && hostPorts(each).includes(port),
    );
    if (taken) {
      return json(response, 500, {
        message: `driver failed programming external connectivity: Bind for 127.0.0.1:${port} failed: port is already allocated`,
      });
    }
    this.run(container);
    response.writeHead(204).end();
  }

  #stop(container: FakeContainer, verb: string, response: ServerResponse): void {
    if (verb === 'stop' && !container.State.Running) return void response.writeHead(304).end();
    if (container.State.Running) {
      this.#say(container, 'kill', { signal: '15' });
      this.end(container, 143);
      this.#say(container, 'stop');
    }
    if (verb === 'restart') this.run(container);
    response.writeHead(204).end();
  }

  #remove(container: FakeContainer, response: ServerResponse): void {
    if (container.State.Running) this.#say(container, 'kill', { signal: '9' });
    this.end(container, 137);
    this.containers.delete(container.Id);
    this.#say(container, 'destroy');
    response.writeHead(204).end();
  }

  #imageRoute({ method, query, response }: Asked, rest: string[]): void {
    if (rest[0] === 'create') return this.#pull(`${query.get('fromImage')}@${query.get('tag')}`, response);
    const reference = decodeURIComponent((rest.at(-1) === 'json' ? rest.slice(0, -1) : rest).join('/'));
    const id = this.#onDisk(reference);
    if (id === undefined) return json(response, 404, { message: `No such image: ${reference}` });
    if (method === 'DELETE') return this.#removeImage(reference, response);
    const digests = [...this.images.keys()].filter(
      (each) => each.includes('@') && this.images.get(each) === id,
    );
    const config = { Cmd: ['node', 'server.js'], Entrypoint: null, Env: ['PATH=/bin'], User: '1000' };
    const tags = [...this.images.keys()].filter(
      (each) => !each.includes('@') && this.images.get(each) === id,
    );
    json(response, 200, {
      Id: id,
      RepoTags: tags.map((each) => each.replace(/^docker\.io\/(library\/)?/, '')),
      RepoDigests: digests.map((each) => each.replace('docker.io/', '')),
      Config: config,
    });
  }

  #onDisk(reference: string): string | undefined {
    return this.images.get(reference) ?? [...this.images.values()].find((id) => id === reference);
  }

  #pull(reference: string, response: ServerResponse): void {
    if (!this.registry.has(reference))
      return json(response, 404, { message: `manifest for ${reference} not found: manifest unknown` });
    this.images.set(reference, `sha256:${Buffer.from(reference.slice(-8)).toString('hex').padEnd(64, '0')}`);
    this.emit('image', 'pull', reference);
    const line = (value: object): string => `${JSON.stringify(value)}\r\n`;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(line({ status: 'Pulling from', id: 'layers' }));
    response.write(line({ status: 'Downloading', id: 'l1', progressDetail: { current: 5, total: 10 } }));
    response.end(
      line({ status: 'Pull complete', id: 'l1', progressDetail: {} }) + line({ status: 'Digest: x' }),
    );
  }

  #removeImage(reference: string, response: ServerResponse): void {
    if ([...this.containers.values()].some((each) => each.Config.Image === reference)) {
      return json(response, 409, {
        message: 'conflict: unable to delete (must be forced) - container is using its referenced image',
      });
    }
    for (const [key, id] of this.images) if (key === reference || id === reference) this.images.delete(key);
    this.emit('image', 'delete', reference);
    json(response, 200, [{ Deleted: reference }]);
  }

  #networkRoute({ body, response }: Asked, [name = '', verb = '']: string[]): void {
    if (name === 'create') return this.#createNetwork(body, response);
    if (name === '') return json(response, 200, [...this.networks.values()]);
    const network = this.#network(name);
    if (network === undefined) return json(response, 404, { message: `network ${name} not found` });
    if (verb === '') return json(response, 200, network);
    const container = this.find(String(body['Container']));
    if (container === undefined)
      return json(response, 404, { message: `No such container: ${String(body['Container'])}` });
    const endpoint = (body['EndpointConfig'] ?? {}) as { Aliases?: string[] };
    if (verb === 'disconnect') this.leave(container, network.Name);
    else if (container.NetworkSettings.Networks[network.Name] === undefined)
      this.#join(container, network.Name, endpoint.Aliases ?? []);
    else
      return json(response, 403, {
        message: `endpoint with name ${container.Name} already exists in network ${network.Name}`,
      });
    response.writeHead(200).end();
  }

  /** By name, or by as much of its id as is unlike any other's. */
  #network(key: string): FakeNetwork | undefined {
    return this.networks.get(key) ?? [...this.networks.values()].find(({ Id }) => Id.startsWith(key));
  }

  #createNetwork(body: Record<string, unknown>, response: ServerResponse): void {
    const name = String(body['Name']);
    if (this.networks.has(name))
      return json(response, 409, { message: `network with name ${name} already exists` });
    json(response, 201, { Id: this.#makeNetwork(name, body).Id });
  }

  #makeNetwork(name: string, body: Record<string, unknown>): FakeNetwork {
    const labels = (body['Labels'] ?? {}) as Record<string, string>;
    const network = {
      Id: this.#id(),
      Name: name,
      Created: iso(),
      Internal: body['Internal'] === true,
      Labels: labels,
    };
    this.networks.set(name, network);
    return network;
  }

  #join(container: FakeContainer, network: string, aliases: string[]): void {
    const NetworkID = this.networks.get(network)?.Id ?? '';
    container.NetworkSettings.Networks[network] = {
      NetworkID,
      Aliases: [...aliases, container.Id.slice(0, 12)],
    };
    this.emit('network', 'connect', NetworkID, { container: container.Id, name: network });
  }

  leave(container: FakeContainer, network: string): void {
    delete container.NetworkSettings.Networks[network];
    this.emit('network', 'disconnect', this.networks.get(network)?.Id ?? '', {
      container: container.Id,
      name: network,
    });
  }

  #say(container: FakeContainer, action: string, more: Record<string, string> = {}): void {
    this.emit('container', action, container.Id, {
      ...container.Config.Labels,
      name: container.Name.slice(1),
      ...more,
    });
  }

  #id(): string {
    return this.#next().toString(16).padStart(64, '0');
  }

  #next(): number {
    this.#count += 1;
    return this.#count;
  }
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Record<string, unknown>;
  readonly response: ServerResponse;
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function misbehave(fault: Fault, response: ServerResponse): Promise<void> {
  if (fault.kind === 'never') return;
  if (fault.kind === 'hangup') return void response.destroy();
  if (fault.kind === 'status') return json(response, fault.status, { message: fault.message });
  if (fault.kind === 'html')
    return void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>a proxy</html>');
  if (fault.kind === 'garbage') return void response.writeHead(200).end('{"Id": "half');
  response.writeHead(200, {
    'content-type': 'application/json',
    ...(fault.kind === 'pieces' ? {} : { 'content-length': '1000' }),
  });
  if (fault.kind !== 'pieces') {
    response.write('[{"Id": "ab');
    await sleep(20);
    if (fault.kind === 'cut') response.destroy();
    return;
  }
  for (const piece of fault.pieces) {
    response.write(piece);
    await sleep(10);
  }
  response.end();
}

function rowOf(container: FakeContainer): object {
  const { Id, Name, Image, State, Config, NetworkSettings } = container;
  const ports = State.Running
    ? hostPorts(container).map((port) => ({ PrivatePort: 80, PublicPort: port, Type: 'tcp' }))
    : [];
  const networks = Object.fromEntries(
    Object.entries(NetworkSettings.Networks).map(([name, { NetworkID }]) => [
      name,
      { NetworkID, Aliases: null },
    ]),
  );
  return {
    Id,
    Names: [Name],
    Image: Config.Image,
    ImageID: Image,
    State: State.Status,
    Status: `Up ${Date.now()} ms${State.Health === undefined ? '' : ` (${State.Health.Status})`}`,
    Labels: Config.Labels,
    Ports: [...ports, { PrivatePort: 9999, Type: 'tcp' }],
    NetworkSettings: { Networks: networks },
  };
}

const hostPorts = (container: FakeContainer): number[] =>
  Object.values(container.HostConfig.PortBindings ?? {}).flatMap((bindings) =>
    bindings.map((each) => Number(each.HostPort)),
  );

function frame(kind: number, text: string): Buffer {
  const body = Buffer.from(text);
  const header = Buffer.alloc(8);
  header.writeUInt8(kind, 0);
  header.writeUInt32BE(body.length, 4);
  return Buffer.concat([header, body]);
}
