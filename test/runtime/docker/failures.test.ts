import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/model/failure.ts';
import { fromDockerError } from '../../../src/runtime/docker/failures.ts';

/** As dockerode throws them. */
const answered = (statusCode: number, message: string): Error =>
  Object.assign(new Error(`(HTTP code ${statusCode}) server error - ${message} `), { statusCode });

const broken = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

describe('what the engine says', () => {
  it.each([
    [404, 'No such image: a/b@sha256:x', 'image_not_found', 'world'],
    [
      404,
      'manifest for a/b@sha256:x not found: manifest unknown: manifest unknown',
      'image_not_found',
      'world',
    ],
    [
      404,
      'failed to resolve reference "ghcr.io/a/b@sha256:x": ghcr.io/a/b@sha256:x: not found',
      'image_not_found',
      'world',
    ],
    [500, 'exec: "docker-init": executable file not found in $PATH', 'engine_refused', 'world'],
    [
      500,
      'container-init binary not found on the host: stat /usr/libexec/podman/catatonit',
      'engine_refused',
      'world',
    ],
    [404, 'no matching manifest for linux/arm64/v8 in the manifest list entries', 'image_platform', 'world'],
    [500, 'unsupported media type application/vnd.cncf.helm.config.v1+json', 'image_unsupported', 'version'],
    [500, 'unsupported manifest format', 'image_unsupported', 'version'],
    [500, "layers from manifest don't match image configuration", 'image_unsupported', 'version'],
    [
      500,
      'choosing an image from manifest list docker://a/b: no image found in image index for architecture arm64, variant "v8", OS linux',
      'image_platform',
      'world',
    ],
    [
      404,
      'pull access denied for a/b, repository does not exist or may require docker login: denied: requested access to the resource is denied',
      'registry_denied',
      'world',
    ],
    [500, 'unauthorized: authentication required', 'registry_denied', 'world'],
    [500, 'toomanyrequests: You have reached your pull rate limit', 'registry_busy', 'world'],
    [500, 'Get "https://r/v2/": dial tcp: lookup r: no such host', 'registry_unreachable', 'world'],
    [
      500,
      'Get "http://127.0.0.1:5/v2/": dial tcp 127.0.0.1:5: connect: connection refused',
      'registry_unreachable',
      'world',
    ],
    [
      409,
      'Conflict. The container name "/a" is already in use by container "b"',
      'foreign_container',
      'world',
    ],
    [
      500,
      'driver failed programming external connectivity on endpoint a: Bind for 127.0.0.1:80 failed: port is already allocated',
      'port_taken',
      'world',
    ],
    [500, 'listen tcp4 127.0.0.1:80: bind: address already in use', 'port_taken', 'world'],
    [404, 'network other not found', 'network_missing', 'world'],
    [404, 'No such container: abc', 'not_found', 'world'],
    [
      400,
      'invalid mount config for type "bind": bind source path does not exist: /x',
      'container_rejected',
      'world',
    ],
    [
      400,
      'OCI runtime create failed: exec: "x": executable file not found in $PATH: unknown',
      'container_start_failed',
      'version',
    ],
    [
      500,
      'exec: "/app/run": stat /app/run: no such file or directory: unknown',
      'container_start_failed',
      'version',
    ],
    [500, 'exec: "/app/run": permission denied: unknown', 'container_start_failed', 'version'],
    [
      500,
      'standard_init_linux.go:228: exec user process caused: exec format error',
      'container_start_failed',
      'version',
    ],
    [
      500,
      'OCI runtime create failed: chdir to cwd ("/x") set in config.json failed: permission denied: unknown',
      'container_start_failed',
      'version',
    ],
    [
      500,
      'error creating overlay mount to /var/lib/docker/overlay2/x/merged: no such file or directory',
      'engine_refused',
      'world',
    ],
    [
      500,
      'OCI runtime create failed: runc create failed: error setting cgroup config: cannot allocate memory: unknown',
      'engine_refused',
      'world',
    ],
    [
      500,
      'failed to start shim: fork/exec /usr/bin/shim: resource temporarily unavailable',
      'engine_refused',
      'world',
    ],
    [
      500,
      'dial unix /run/containerd/containerd.sock: connect: no such file or directory',
      'engine_refused',
      'world',
    ],
    [400, 'unable to find user x: no matching entries in passwd file', 'container_start_failed', 'version'],
    [400, 'No command specified', 'container_start_failed', 'version'],
    [500, 'write /var/lib/docker/x: no space left on device', 'disk_full', 'world'],
    [400, 'client version 1.99 is too new. Maximum supported API version is 1.41', 'engine_refused', 'world'],
    [400, 'invalid reference format', 'container_rejected', 'version'],
    [404, 'page not found', 'not_found', 'world'],
    [500, 'something else', 'engine_refused', 'world'],
  ])('%i "%s" means %s, the fault of the %s', (status, message, code, whose) => {
    const failure = fromDockerError('do it', answered(status, message));
    expect(failure).toMatchObject({ code, class: whose, message: `could not do it: ${message}` });
    expect(failure.suggestedAction).not.toBeNull();
  });

  it.each([
    ['ENOENT', 'start the Docker Engine'],
    ['ECONNREFUSED', 'start the Docker Engine'],
    ['EACCES', 'group docker'],
    ['ECONNRESET', 'look whether'],
  ])('nothing, by %s, means that it is unreachable', (code, advice) => {
    const failure = fromDockerError('list', broken(code));
    expect(failure.code).toBe('engine_unreachable');
    expect(failure.suggestedAction).toContain(advice);
  });

  it('is told in words even when nobody threw an error', () => {
    expect(fromDockerError('list', 'odd')).toMatchObject({
      code: 'engine_unreachable',
      message: 'could not list: odd',
    });
    expect(fromDockerError('list', null).code).toBe('engine_unreachable');
  });

  it('is left as it is when it is a Failure already', () => {
    const failure = new Failure('port_taken', 'x');
    expect(fromDockerError('list', failure)).toBe(failure);
  });
});
