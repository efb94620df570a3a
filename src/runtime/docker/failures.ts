import { ownValue } from '../../lib/own-value.ts';
import { Failure } from '../../model/failure.ts';
import type { FailureClass, FailureCode } from '../../model/failure.ts';

/** What the engine says, and what it means. The first that fits stands. */
interface Meaning {
  readonly says: RegExp;
  readonly code: FailureCode;
  readonly class?: FailureClass;
  readonly advice: string;
}

const PULL_AGAIN = 'it is pulled again by itself; if it stays away, look whether the registry still has it';
const SEE_ENTRY = "look at the entry's docker block: the image cannot be run so";

const meanings: readonly Meaning[] = [
  {
    says: /no space left on device/i,
    code: 'disk_full',
    advice: "free space on the engine's disk, e.g. docker system df",
  },
  // It looks like a program that the image lacks, and is one that the engine lacks: every container gets an init.
  {
    says: /(docker-init|tini)"?: executable file not found|container-init binary|catatonit/i,
    code: 'engine_refused',
    advice:
      "install the engine's init on its host: docker-init (package tini) for Docker, catatonit for Podman",
  },
  // Only what the image or its entry must have caused: an engine in trouble speaks of missing files as well.
  {
    says: /exec: "[^"]*": .*(not found|no such file|permission denied|directory)|exec format error|no command specified|unable to find user|no matching entries in (passwd|group) file|(set in config\.json|working directory).* failed|trying to mount a directory/i,
    code: 'container_start_failed',
    class: 'version',
    advice: SEE_ENTRY,
  },
  {
    says: /toomanyrequests|rate limit/i,
    code: 'registry_busy',
    advice: 'wait, or log in to the registry for a higher limit',
  },
  {
    says: /unauthorized|authentication required|access to the resource is denied|denied:/i,
    code: 'registry_denied',
    advice: 'look at the name of the image and at the credentials for its registry',
  },
  {
    says: /client version .* is too (new|old)/i,
    code: 'engine_refused',
    advice: 'nothing: the version is agreed upon anew at the next call',
  },
  {
    says: /port is already allocated|address already in use|ports are not available/i,
    code: 'port_taken',
    advice: 'free the port, or let host_port be 0',
  },
  {
    says: /container name .* already in use/i,
    code: 'foreign_container',
    advice: 'remove or rename the container that bears the name',
  },
  {
    says: /no matching manifest for|no match for platform|no image found in (image index|manifest list) for/i,
    code: 'image_platform',
    advice: "publish a version that is built for the engine's platform too, and commit it",
  },
  {
    says: /unsupported media ?type|unsupported manifest|media ?type .* (not supported|unsupported)|encountered remote .*\(\w+\) when fetching|layers from manifest don't match|mismatched image rootfs|unsupported schema version/i,
    code: 'image_unsupported',
    class: 'version',
    advice:
      'publish an image under this tag: what stands there is none, or of a kind that the engine cannot run',
  },
  {
    says: /no such image|manifest unknown|manifest for .* not found|repository .* not found|failed to resolve reference .*: not found/i,
    code: 'image_not_found',
    advice: PULL_AGAIN,
  },
  {
    says: /network .* is ambiguous/i,
    code: 'network_ambiguous',
    advice: 'remove all but one of the networks of that name: docker network ls, docker network rm <id>',
  },
  {
    says: /network .* not found|no such network/i,
    code: 'network_missing',
    advice: 'create the network, or take it out of docker.networks',
  },
  { says: /no such container/i, code: 'not_found', advice: 'nothing: the next look sees it' },
  {
    says: /bind source path does not exist/i,
    code: 'container_rejected',
    advice: 'create the folder on the host of the engine',
  },
  {
    says: /no such host|connection refused|i\/o timeout|tls handshake|server misbehaving|network is unreachable/i,
    code: 'registry_unreachable',
    advice: 'look whether the engine reaches the registry',
  },
];

const unreachable: Readonly<Record<string, string>> = {
  ENOENT: 'start the Docker Engine, or say where it listens with --docker',
  ECONNREFUSED: 'start the Docker Engine, or say where it listens with --docker',
  EACCES: "let this user write to the engine's socket (group docker)",
};

/** Any error of a call to the engine as a Failure. `doing` completes "could not ...". */
export function fromDockerError(doing: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  const said = reasonOf(error);
  const meaning = meanings.find(({ says }) => says.test(said));
  const status = statusOf(error);
  if (status === null && meaning === undefined) return asUnreachable(doing, error);
  const { code, advice, class: whose } = meaning ?? bareStatus(status);
  const options = { ...(whose === undefined ? {} : { class: whose }), suggestedAction: advice };
  return new Failure(code, `could not ${doing}: ${said}`, { ...options, cause: error });
}

export const isStatus = (error: unknown, ...codes: readonly number[]): boolean =>
  codes.includes(statusOf(error) ?? 0);

/** An error of the engine's answer carries its status; anything else is no answer. */
function statusOf(error: unknown): number | null {
  const { statusCode } = (error ?? {}) as { statusCode?: unknown };
  return typeof statusCode === 'number' ? statusCode : null;
}

/** dockerode writes `(HTTP code 404) no such thing - the engine's own sentence `. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^\(HTTP code \d+\)[^-]* - /, '').trim();
}

function asUnreachable(doing: string, error: unknown): Failure {
  const { code = '' } = (error ?? {}) as { code?: string };
  const advice = ownValue(unreachable, code) ?? 'look whether the Docker Engine runs';
  return new Failure('engine_unreachable', `could not ${doing}: ${reasonOf(error)}`, {
    suggestedAction: advice,
    cause: error,
  });
}

/** 400 and 409 mean that what we asked for is wrong; it would be wrong again. */
function bareStatus(status: number | null): Omit<Meaning, 'says'> {
  if (status === 400) return { code: 'container_rejected', class: 'version', advice: SEE_ENTRY };
  if (status === 404) return { code: 'not_found', advice: 'nothing: the next look sees it' };
  return { code: 'engine_refused', advice: 'look into the log of the Docker Engine' };
}
