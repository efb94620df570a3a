import { spawn, type ChildProcess } from 'node:child_process';
import { chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { freePort } from '../../examples/engine/registry.ts';
import { builtProgram } from '../../examples/stage/built-program.ts';
import { isReady, StatusFollower } from '../../examples/stage/status.ts';
import { serveOverHttp } from '../support/git-remote.ts';
import { openTestStage } from '../support/stage.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Nobody on this machine: as `useradd --system` would choose one. */
const USER = 64_321;

/**
 * What the unit asks systemd for, as far as it can be had without one: a root that is read-only but for the state and the
 * locks, no capability, no new privilege, the limit of files, the mask; the program and the socket where this user reaches them.
 */
const confined = `
set -eu
mount --bind "$FOLDER/state" "$FOLDER/state"
mount --bind "$ROOT" "$FOLDER/program"
mount --bind "$SOCKET" "$FOLDER/docker.sock"
mount --bind /run/lock /run/lock
mount -o remount,bind,ro /
most=$(ulimit -Hn)
if [ "$most" = unlimited ] || [ "$most" -gt "$FILES" ]; then most=$FILES; fi
umask "$MASK"
cd /
exec env -i PATH="$PATH" $VARIABLES prlimit --nofile="$most" -- \\
  setpriv --reuid ${USER} --regid ${USER} --groups "$GROUP" \\
  --no-new-privs --bounding-set=-all --inh-caps=-all --ambient-caps=-all \\
  "$NODE" "$FOLDER/program/$PROGRAM" "$@"`;

const unit = await readFile(
  new URL('../../examples/deploy/mcp-orchestration.service', import.meta.url),
  'utf8',
);
const valueOf = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1] ?? '';

interface Order {
  readonly folder: string;
  readonly socket: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** Starts the unit's command; what it says goes to our own output. */
async function started({ folder, socket, variables }: Order): Promise<ChildProcess> {
  for (const name of ['state', 'program']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'docker.sock'), '');
  await chown(join(folder, 'state'), USER, USER);
  const [, ...args] = valueOf('ExecStart').split(' ');
  const env = {
    ...{ PATH: process.env['PATH'], FOLDER: folder, ROOT: root, SOCKET: socket, NODE: process.execPath },
    ...{ MASK: valueOf('UMask'), FILES: valueOf('LimitNOFILE'), PROGRAM: relative(root, builtProgram()) },
    GROUP: String((await stat(socket)).gid),
    VARIABLES: Object.entries(variables)
      .map(([name, value]) => `MCP_ORCHESTRATION_${name}=${value}`)
      .join(' '),
  };
  const isolated = ['--mount', '--propagation', 'private', 'sh', '-c', confined, 'sh', ...args];
  return spawn('unshare', isolated, { env, stdio: ['ignore', 'inherit', 'inherit'] });
}

test.runIf(process.getuid?.() === 0)(
  "the unit's command, as its user and within its limits, deploys a server and ends in time",
  async () => {
    const stage = await openTestStage();
    const folder = await mkdtemp(join(tmpdir(), 'service-'));
    const remote = await serveOverHttp(stage.folder);
    const listen = `127.0.0.1:${await freePort()}`;
    await chown(folder, USER, USER);
    await stage.merge([stage.entry('served')]);
    const child = await started({
      ...{ folder, socket: stage.engine.docker.socket },
      variables: {
        ...{ MANIFEST: `${remote.url}/manifest.git`, LISTEN: listen, OWNER: stage.owner },
        ...{ STATE: join(folder, 'state'), DOCKER: join(folder, 'docker.sock') },
        LOG_LEVEL: 'warn',
        TRUST: `127.0.0.1:${stage.engine.registry.port}/liminalcommons/*`,
      },
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    try {
      await new StatusFollower(`http://${listen}`).server(stage.name('served'), isReady);
      const status = await readFile(`/proc/${child.pid ?? 0}/status`, 'utf8');
      expect(status).toMatch(new RegExp(`^Uid:(\\t${USER}){4}$`, 'm'));
      expect(status).toMatch(/^CapBnd:\t0+$/m);
      expect(status).toMatch(/^NoNewPrivs:\t1$/m);
      expect(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1])).toBeLessThan(512 * 1_024);
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
      expect((await stat(join(folder, 'state/events.jsonl'))).mode & 0o077).toBe(0);
    } finally {
      child.kill('SIGKILL');
      await Promise.all([stage.close(), remote.close()]);
      await rm(folder, { recursive: true, force: true });
    }
  },
);
