import { ownValue } from '../lib/own-value.ts';
import { plain } from '../lib/plain.ts';
import type { DesiredServer, DesiredState } from '../model/desired.ts';
import type { Problem } from '../model/problem.ts';
import { inOrder, placeOf } from './places.ts';
import type { Policy } from './policy.ts';
import { readManifest } from './read.ts';
import type { ManifestText, ReadManifest, ReadResult } from './read.ts';
import { resolveManifest } from './resolve.ts';

interface Validation {
  /** Errors and warnings in the order of the text. */
  readonly problems: readonly Problem[];
  /** What would be wanted; null: the manifest is refused as a whole. */
  readonly desired: DesiredState | null;
}

/** What `validate` and CI say of a manifest: read, resolved and judged, without an engine. Never throws. */
export function validateManifest(input: ManifestText, policy: Policy): Validation {
  return validationOf(readManifest(input), input.file, policy);
}

/** The same of a manifest that was read elsewhere, such as in a thread of its own. */
export function validationOf(read: ReadResult, file: string, policy: Policy): Validation {
  if (!read.ok) return { problems: read.error.problems, desired: null };
  const context = { revision: 'unknown', source: file, traceId: 'validate', policy };
  const desired = resolveManifest(read.value.manifest, context);
  const refused = desired.servers.flatMap((server, index) => toProblem(server, index, read.value, file));
  return { problems: inOrder([...read.value.warnings, ...refused]), desired };
}

/** Nobody corrects more at once. */
const MOST_SHOWN = 201;

/** One line a problem, and under it what to do: `file:line:column  path  message`. Empty for no problems. */
export function formatProblems(problems: readonly Problem[]): string {
  const more = problems.length - MOST_SHOWN;
  const shown = problems.slice(0, MOST_SHOWN).map(format);
  return [...shown, ...(more > 0 ? [`and ${more} more problems; correct these first`] : [])].join('\n');
}

/** Refused by policy; an entry that cannot be deployed at all was warned of when it was read. */
function toProblem(server: DesiredServer, index: number, read: ReadManifest, file: string): Problem[] {
  const { refusal } = server;
  if (refusal?.phase !== 'refused') return [];
  const path = `servers[${index}]`;
  const block = `${path}.${ownValue(BLOCK_OF, refusal.reason) ?? 'docker'}`;
  const [line, column] = ownValue(read.places, block) ?? ownValue(read.places, path) ?? [0, 0];
  return [
    {
      severity: 'error',
      file,
      line,
      column,
      path: block,
      message: plain(refusal.message),
      advice: plain(refusal.suggestedAction),
    },
  ];
}

/** Where the refused thing stands in the entry. */
const BLOCK_OF: Readonly<Record<string, string>> = {
  untrusted_image: 'docker.image',
  digest_required: 'docker.image',
  untrusted_repository: 'repository',
  engine_socket: 'docker.volumes',
  host_path_not_allowed: 'docker.volumes',
  host_path_closed: 'docker.volumes',
  host_path_shared: 'docker.volumes',
  host_port_not_allowed: 'docker.host_port',
  volume_not_allowed: 'docker.volumes',
  network_forbidden: 'docker.networks',
  network_not_allowed: 'docker.networks',
  resources_over_limit: 'docker.resources',
};

function format(problem: Problem): string {
  const { severity, path, message, advice } = problem;
  const mark = severity === 'warning' ? 'warning: ' : '';
  const parts = [placeOf(problem), ...(path === '' ? [] : [path]), `${mark}${message}`];
  return `${parts.join('  ')}\n    ${advice}`;
}
