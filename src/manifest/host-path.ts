/** Whether a tidy absolute path is the folder or in it. */
export const isWithin = (path: string, folder: string): boolean => {
  let end = folder.length;
  while (folder[end - 1] === '/') end -= 1;
  const base = folder.slice(0, end);
  return path === base || path.startsWith(`${base}/`);
};

/**
 * Whether a host path is, holds or leads to an engine's socket. Links cannot be followed here, so whole folders
 * where sockets live, and `/proc`, from which every path can be reached, are closed.
 */
export function engineSocketIn(path: string, sockets: readonly string[]): boolean {
  return (
    SOCKET_NAME.test(path) ||
    CLOSED.some((folder) => isWithin(path, folder) || isWithin(folder, path)) ||
    sockets.some((socket) => isWithin(socket, path))
  );
}

const SOCKET_NAME = /\/(docker|podman|containerd|crio|dockershim|cri-dockerd|buildkitd)[^/]*\.sock$/;

const CLOSED = [
  '/run',
  '/var/run',
  '/proc',
  '/sys',
  '/dev',
  '/var/lib/docker',
  '/var/lib/containerd',
  '/var/lib/containers',
];
