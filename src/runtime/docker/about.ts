import type { EngineAbout } from '../runtime.ts';
import { list, loose, readInfo, text, texts, type Loose } from './answers.ts';
import type { EngineClient } from './client.ts';

/** Asks anew each time: it was set up otherwise since, perhaps. */
export async function about(client: EngineClient, signal: AbortSignal): Promise<EngineAbout> {
  const version = await client.version(signal);
  const [answer, named] = await Promise.all([
    client.ask('ask the engine who it is', (docker): Promise<unknown> => docker.info(), signal),
    client.ask('ask the engine for its version', (docker): Promise<unknown> => docker.version(), signal),
  ]);
  const info = loose(answer);
  return {
    family: familyOf(loose(named)),
    version: version.Version,
    api: version.ApiVersion,
    platform: `${version.Os}/${version.Arch}`,
    storage: storageOf(info),
    enforces: readInfo(info).limits,
    rootless: texts(info['SecurityOptions']).some((option) => option.includes('rootless')),
    time: Date.parse(text(info['SystemTime'])) || null,
    insecure: insecureOf(loose(info['RegistryConfig'])),
    proxies: { http: text(info['HttpProxy']), https: text(info['HttpsProxy']), no: text(info['NoProxy']) },
    warnings: texts(info['Warnings']),
  };
}

/** Podman and others say their name among the components. */
function familyOf(version: Loose): string {
  const names = list(version['Components']).map((component) => text(loose(component)['Name']));
  const [first = ''] = names;
  if (first === 'Engine' || first === '') return text(loose(version['Platform'])['Name']) || 'Docker Engine';
  return first.replace(/ Engine$/, '');
}

function storageOf(info: Loose): string {
  const status = list(info['DriverStatus']).map(texts);
  const store = status.find(([name]) => name === 'driver-type')?.[1];
  return [text(info['Driver']), store].filter(Boolean).join(', ');
}

function insecureOf(config: Loose): EngineAbout['insecure'] {
  const hosts = Object.entries(loose(config['IndexConfigs'])).filter(
    ([, one]) => loose(one)['Secure'] === false,
  );
  return { hosts: hosts.map(([host]) => host), ranges: texts(config['InsecureRegistryCIDRs']) };
}
