import type { EngineAbout } from '../../runtime/runtime.ts';
import { well, wrong, type Finding } from './finding.ts';

/** Who the engine is, and whether it can hold servers to their limits. */
export function engineFinding(about: EngineAbout): Finding {
  const missing = Object.entries(about.enforces).flatMap(([limit, enforced]) => (enforced ? [] : [limit]));
  const says = engineText(about);
  if (missing.length === 0) return well('engine', says);
  return wrong(
    'engine',
    `${says}; it does not enforce limits of ${missing.join(', ')}`,
    'enable these controllers of cgroups for the engine; until then the limits of the manifest do not hold',
  );
}

function engineText({
  family,
  version,
  api,
  platform,
  storage,
  rootless,
  insecure,
  proxies,
}: EngineAbout): string {
  const told = [...insecure.hosts, ...insecure.ranges.filter((range) => !/^(127\.|::1)/.test(range))];
  return [
    `${family} ${version}, API ${api}, ${platform}`,
    storage === '' ? '' : `images in ${storage}`,
    rootless ? 'rootless' : '',
    told.length === 0 ? '' : `insecure registries ${told.join(', ')}`,
    proxies.https === '' ? '' : `pulls by the proxy ${hostOf(proxies.https)}`,
  ]
    .filter((part) => part !== '')
    .join('; ');
}

/** There may be a password in it. */
const hostOf = (address: string): string =>
  URL.canParse(address) && new URL(address).host !== '' ? new URL(address).host : 'that it was told';
