import { bytesOf, exclusiveReason } from '../container.ts';
import { undeployable } from '../entry.ts';
import { error, told, warning } from '../finding.ts';
import type { Finding } from '../finding.ts';
import type { Entry } from '../rules.ts';
import type { ServerEntry } from '../schema/server.ts';

type Docker = NonNullable<ServerEntry['docker']>;
type Volume = NonNullable<Docker['volumes']>[number];

/** Docker itself refuses less. */
const SMALLEST_MEMORY = '6m';

/** What no engine could run, or not as it is written. */
export function containerRules({ path, entry }: Entry): readonly Finding[] {
  const reason = undeployable(entry);
  if (reason !== null) return [warning(path, reason.message, reason.suggestedAction)];
  const { docker = {}, config } = entry;
  return [
    ...missing(`${path}.docker`, docker),
    ...order(path, entry),
    ...mounts(`${path}.docker.volumes`, docker.volumes ?? []),
    ...networks(`${path}.docker.networks`, docker.networks ?? []),
    ...memory(`${path}.docker.resources.memory`, docker.resources?.memory),
    ...secrets(`${path}.config.secrets`, config),
  ];
}

function missing(path: string, { image, port }: Docker): readonly Finding[] {
  return told(
    image === undefined && error(path, '`image` is missing', 'Add `image: organisation/name`.'),
    port === undefined && error(path, '`port` is missing', 'Add the port on which the server listens.'),
  );
}

function order(path: string, entry: ServerEntry): readonly Finding[] {
  const reason = exclusiveReason(entry);
  if (entry.update?.order !== 'start-first' || reason === null) return [];
  const advice = 'Write stop-first, or let two copies run side by side (host_port: 0; shareable: true).';
  return [error(`${path}.update.order`, `two copies cannot run at once (${reason})`, advice)];
}

function mounts(path: string, volumes: readonly Volume[]): readonly Finding[] {
  const seen = new Set<string>();
  return volumes.flatMap(({ source, target, external }, index) => {
    const at = `${path}[${index}]`;
    const taken = seen.has(target);
    seen.add(target);
    return told(
      taken && error(`${at}.target`, `two volumes at \`${target}\``, 'Write another target.'),
      wanders(source) &&
        error(`${at}.source`, `\`${source}\` has \`.\` or \`..\` in it`, 'Write the path out.'),
      wanders(target) &&
        error(`${at}.target`, `\`${target}\` has \`.\` or \`..\` in it`, 'Write the path out.'),
      external === true &&
        source.startsWith('/') &&
        error(`${at}.external`, 'a host path is no volume', 'Remove `external`.'),
    );
  });
}

const wanders = (path: string): boolean => /(^|\/)\.{1,2}(\/|$)/.test(path);

/** Joining the live network is promotion, and no server promotes itself. */
function networks(path: string, wanted: readonly string[]): readonly Finding[] {
  const message = '`mcp-network-live` is joined by promotion alone';
  return wanted.flatMap((network, index) =>
    told(network === 'mcp-network-live' && error(`${path}[${index}]`, message, 'Remove it.')),
  );
}

function memory(path: string, written: string = SMALLEST_MEMORY): readonly Finding[] {
  const little = bytesOf(written) < bytesOf(SMALLEST_MEMORY);
  const message = `\`${written}\` is less than an engine accepts (${SMALLEST_MEMORY})`;
  return told(little && error(path, message, 'Add the unit: 512m.'));
}

function secrets(path: string, config: ServerEntry['config']): readonly Finding[] {
  const seen = new Set(Object.keys(config?.env ?? {}));
  return (config?.secrets ?? []).flatMap(({ name }, index) => {
    const taken = seen.has(name);
    seen.add(name);
    return told(taken && error(`${path}[${index}]`, `\`${name}\` is set twice`, 'Keep one of them.'));
  });
}
