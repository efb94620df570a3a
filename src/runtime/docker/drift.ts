import { canonicalJson } from '../../lib/digest.ts';
import { imageRefOf } from '../../model/spec.ts';
import type { Spec } from '../../model/spec.ts';
import { list, loose, text } from './answers.ts';
import type { EngineInfo, InspectedContainer, Loose, Program } from './answers.ts';
import { FORM } from './labels.ts';
import type { Told } from './labels.ts';
import { hostConfig } from './create-options.ts';
import { LIVE_NETWORK, nameOf, NETWORK, networksOf } from './names.ts';

/** What a container is judged by beside its own label. */
export interface Surroundings {
  /** What its image gives by itself; null when the image cannot be asked, then that is not compared. */
  readonly image: Program | null;
  /** Which limits the engine can keep; the others it drops, and that is no drift. */
  readonly enforces: EngineInfo['limits'];
}

/**
 * How the real container differs from what its label's spec would make, in words. Environment is told by name only,
 * and of secrets nothing but their being there is looked at.
 */
export function driftOf(inspected: InspectedContainer, told: Told, around: Surroundings): string[] {
  const { spec, published } = told;
  if (spec === null || published === null) return ['its label cannot be read'];
  const expected = hostConfig(spec, published) as Loose;
  const facets = [
    ...configFacets,
    ...(told.form === FORM ? formFacets : []),
    ...limitFacets(around.enforces),
  ];
  return [
    ...(inspected.name === nameOf(spec, told.instance) ? [] : ['name']),
    ...(inspected.state.paused ? ['paused'] : []),
    ...programDrift(inspected.config, spec, around.image),
    ...facets
      .filter(([, facet]) => differs(facet(expected), facet(inspected.hostConfig)))
      .map(([word]) => word),
    ...environmentDrift(inspected.config.env, spec, around.image),
    ...networkDrift(inspected, told, spec),
  ];
}

/** A word, and what of a container it stands for: asked alike of what should be and of what is. */
type Facet = readonly [word: string, of: (config: Loose) => unknown];

const configFacets: readonly Facet[] = [
  ['mounts', (config) => [list(config['Binds']), list(config['Mounts']).map(mountOf)]],
  ['read-only root', (config) => config['ReadonlyRootfs'] ?? false],
  ['published port', (config) => config['PortBindings']],
  ['restart policy', (config) => text(loose(config['RestartPolicy'])['Name']) || 'no'],
];

/** What is the same for every container of one form. */
const formFacets: readonly Facet[] = [
  ['capabilities', (config) => [list(config['CapAdd']), list(config['CapDrop'])]],
  ['security options', (config) => list(config['SecurityOpt'])],
  ['privileged', (config) => config['Privileged'] ?? false],
  ['init', (config) => config['Init'] ?? false],
  ['log rotation', (config) => config['LogConfig']],
  ['host namespaces', (config) => [config['PidMode'], config['IpcMode'], config['UTSMode']].includes('host')],
];

function limitFacets(enforces: EngineInfo['limits']): Facet[] {
  const facets: readonly (readonly [boolean, Facet])[] = [
    [enforces.cpus, ['cpu limit', (config) => config['NanoCpus'] ?? 0]],
    [enforces.memory, ['memory limit', (config) => config['Memory'] ?? 0]],
    [enforces.pids, ['process limit', (config) => config['PidsLimit'] ?? 0]],
  ];
  return facets.filter(([enforced]) => enforced).map(([, facet]) => facet);
}

/** Only what we say of a mount; engines fill in more. */
function mountOf(raw: unknown): unknown {
  const mount = loose(raw);
  return [mount['Type'], mount['Source'], mount['Target'], mount['ReadOnly'] ?? false];
}

const differs = (a: unknown, b: unknown): boolean => canonicalJson(a ?? null) !== canonicalJson(b ?? null);

function programDrift(config: InspectedContainer['config'], spec: Spec, image: Program | null): string[] {
  const isImage = [imageRefOf(spec), spec.imageDigest].includes(config.image);
  const command = spec.command.length > 0 ? spec.command : image?.command;
  const user = spec.user ?? image?.user;
  return [
    ...(isImage ? [] : ['image']),
    ...(command !== undefined && differs(command, config.command) ? ['command'] : []),
    ...(image !== null && differs(image.entrypoint, config.entrypoint) ? ['entrypoint'] : []),
    ...(user !== undefined && user !== config.user ? ['user'] : []),
  ];
}

function environmentDrift(actual: readonly string[], spec: Spec, image: Program | null): string[] {
  const secrets = spec.secrets.filter((secret) => secret.version !== null).map((secret) => secret.name);
  const plain = Object.entries(spec.env).filter(([name]) => !secrets.includes(name));
  const names = actual.map(nameIn);
  const known = new Set([...secrets, ...plain.map(([name]) => name), ...(image?.env ?? []).map(nameIn)]);
  const wrong = [
    ...plain.filter(([name, value]) => !actual.includes(`${name}=${value}`)).map(([name]) => name),
    ...secrets.filter((name) => !names.includes(name)),
    ...(image === null ? [] : names.filter((name) => !known.has(name))),
  ];
  return wrong.map((name) => `environment ${name}`);
}

const nameIn = (assignment: string): string => assignment.split('=')[0] ?? '';

function networkDrift(inspected: InspectedContainer, told: Told, spec: Spec): string[] {
  const wanted = networksOf(spec);
  const actual = [...inspected.networks.keys()];
  const nameless = inspected.networks.get(NETWORK)?.aliases.includes(nameOf(spec, told.instance)) === false;
  return [
    ...wanted.filter((network) => !actual.includes(network)).map((network) => `not on network ${network}`),
    ...actual
      .filter((network) => ![...wanted, LIVE_NETWORK].includes(network))
      .map((network) => `on network ${network}`),
    ...(nameless ? [`without its name on network ${NETWORK}`] : []),
  ];
}
