import type { DesiredState } from '../../model/desired.ts';
import { repositoryOf } from '../../model/spec.ts';
import { parseRepository, type Reached } from '../../registry/index.ts';
import { well, wrong, type Finding } from './finding.ts';

/** One repository of each registry that the manifest names, by host. */
export function registriesOf({ servers }: DesiredState): ReadonlyMap<string, string> {
  const images = servers.flatMap(({ blueprint }) =>
    blueprint === null ? [] : [repositoryOf(blueprint.image)],
  );
  return new Map(images.map((repository) => [parseRepository(repository).host, repository]));
}

/** How it was reached, and where credentials for it would go. */
export function registryFinding(reached: Reached): Finding {
  const { host, trouble, certificates } = reached;
  const says = `${host}: ${[...wayOf(reached), credentialsOf(reached)].join('; ')}`;
  if (certificates.troubles.length > 0)
    return wrong('registry', `${says}; ${certificates.troubles.join('; ')}`, 'correct or remove that file');
  if (trouble === null) return well('registry', says);
  const todo = trouble.suggestedAction ?? 'correct the Docker configuration';
  return wrong('registry', `${says}; ${trouble.message}, so it is asked as nobody`, todo);
}

function wayOf({ spoken, unchecked, proxy, certificates: { from } }: Reached): string[] {
  const scheme = spoken === 'http' ? 'http without encryption' : 'https';
  const checked = unchecked === null ? 'certificate checked' : `certificate not checked (${unchecked})`;
  const how = spoken === 'http' ? `${scheme} (${unchecked ?? ''})` : `${scheme}, ${checked}`;
  const by = proxy === null ? 'no proxy' : `by the proxy ${proxy}`;
  return [how, by, ...(from.length === 0 ? [] : [`authorities also of ${from.join(', ')}`])];
}

function credentialsOf({ asksFor, shownTo, credentials }: Reached): string {
  if (shownTo === null) return 'asks for no credentials';
  const from = credentials === 'file' ? 'config.json' : credentials;
  return from === null
    ? `asks for ${asksFor}; credentials would go to ${shownTo}, and there are none`
    : `asks for ${asksFor}; the credentials of ${from} go to ${shownTo}`;
}
