import { link, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { settledBy } from '../../../src/runtime/docker/host-paths.ts';
import { closedIn, isSeen, type HostView } from '../../../src/runtime/docker/host-view.ts';
import { placeOf, readMountTable } from '../../../src/runtime/docker/mount-table.ts';

const line = (device: string, root: string, at: string, kind = 'ext4'): string =>
  `36 35 ${device} ${root} ${at} rw,relatime shared:1 - ${kind} /dev/sda1 rw`;

const host = (...more: string[]): HostView => ({
  table: readMountTable([line('8:1', '/', '/'), line('0:23', '/', '/run', 'tmpfs'), ...more, ''].join('\n')),
  isHost: true,
  dataRoot: '/opt/engine',
});

describe('what a path of the host leads to', () => {
  it('is told through bind mounts, however they are spelled', () => {
    const { table } = host(line('8:1', '/opt/other', '/srv/b\\040c'));
    expect(placeOf('/srv/a', table)).toEqual({ device: '8:1', path: '/srv/a' });
    expect(placeOf('/srv/b c/d', table)).toEqual({ device: '8:1', path: '/opt/other/d' });
    expect(placeOf('/run/x', table)).toEqual({ device: '0:23', path: '/x' });
    expect(placeOf('/', table)).toEqual({ device: '8:1', path: '/' });
  });

  it.each([
    ['the whole host', line('8:1', '/', '/srv/a')],
    ['a folder that holds the data of the engine', line('8:1', '/opt', '/srv/a')],
    ['what lies in the data of the engine', line('8:1', '/opt/engine/volumes', '/srv/a')],
    ['where sockets are', line('0:23', '/', '/srv/a/sockets')],
    ['the processes of the host', line('0:5', '/', '/srv/a/proc', 'proc')],
    ['the state of the orchestrator', line('8:1', '/var/state/specs', '/srv/a')],
  ])('is refused where a bind mount leads to %s', async (_what, mount) => {
    expect(await closedIn('/srv/a', host(mount), ['/var/state'])).not.toBeNull();
    expect(await closedIn('/srv/b', host(mount), ['/var/state'])).toBeNull();
  });

  describe('on a real disk', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await realpath(await mkdtemp(join(tmpdir(), 'host-view-')));
    });
    afterEach(() => rm(folder, { recursive: true }));

    it('is told by what it is, not by its name', async () => {
      const [socket, other] = [join(folder, 'engine', 'sock'), join(folder, 'data')];
      await mkdir(join(folder, 'engine'));
      await writeFile(socket, '');
      await link(socket, other);
      const view = { table: [], isHost: true, dataRoot: '' };
      expect(await closedIn(other, view, [socket])).toBe(socket);
      expect(await closedIn(join(folder, 'engine'), view, [socket])).toBe(socket);
      expect(await closedIn(join(folder, 'free'), view, [socket])).toBeNull();
    });
  });

  it('is waited for as long as may be, and no longer', async () => {
    const ending = new AbortController();
    const looking = settledBy(ending.signal, new Promise(() => undefined));
    ending.abort();
    await expect(looking).rejects.toMatchObject({ code: 'engine_timeout' });
    await expect(settledBy(ending.signal, Promise.resolve(1))).rejects.toMatchObject({
      code: 'engine_timeout',
    });
    expect(await settledBy(new AbortController().signal, Promise.resolve(1))).toBe(1);
  });

  it('is seen beside the engine, and in a container of ours only where it was mounted into it', () => {
    const inside = { ...host(line('8:1', '/srv/data', '/srv/data')), isHost: false };
    expect(isSeen('/srv/data', inside, '/var/run/docker.sock')).toBe(true);
    expect(isSeen('/srv/other', inside, '/var/run/docker.sock')).toBe(false);
    expect(isSeen('/run/data', inside, '/var/run/docker.sock')).toBe(false);
    expect(isSeen('/srv/data', inside, 'tcp://elsewhere:2376')).toBe(false);
    expect(isSeen('/anywhere', host(), '/var/run/docker.sock')).toBe(true);
  });
});
