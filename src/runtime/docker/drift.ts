import type Docker from 'dockerode';
import { canonicalJson } from '../../lib/digest.ts';
import { imageRefOf } from '../../model/spec.ts';
import type { Spec } from '../../model/spec.ts';
import { FORM } from './labels.ts';
import type { Told } from './labels.ts';
import { hostConfig } from './create-options.ts';
import { aliases, LIVE_NETWORK, nameOf, NETWORK, networksOf } from './names.ts';

/** What a container is judged by beside its own label. */
export interface Surroundings {
  /** What its image gives by itself; null when the image cannot be asked, then that is not compared. */
  readonly image: ImageDefaults | null;
  /** Which limits the engine can keep; the others it drops, and that is no drift. */
  readonly enforces: Limits;
}

export interface ImageDefaults {
  readonly Cmd?: readonly string[] | null;
  readonly Entrypoint?: string | readonly string[] | null | undefined;
  readonly Env?: readonly string[] | null;
  readonly User?: string;
}

export interface Limits {
  readonly cpus: boolean;
  readonly memory: boolean;
  readonly pids: boolean;
}

/**
 * How the real container differs from what its label's spec would make, in words. Environment is told by name only,
 * and of secrets nothing but their being there is looked at.
 */
export function driftOf(inspected: Docker.ContainerInspectInfo, told: Told, around: Surroundings): string[] {
  const { spec, published } = told;
  if (spec === null || published === null) return ['its label cannot be read'];
  const expected = hostConfig(spec, published);
  const facets = [
    ...configFacets,
    ...(told.form === FORM ? formFacets : []),
    ...limitFacets(around.enforces),
  ];
  return [
    ...(inspected.Name === `/${nameOf(spec, told.instance)}` ? [] : ['name']),
    ...(inspected.State.Paused ? ['paused'] : []),
    ...programDrift(inspected.Config, spec, around.image),
    ...facets
      .filter(([, facet]) => differs(facet(expected), facet(inspected.HostConfig)))
      .map(([word]) => word),
    ...environmentDrift(inspected.Config.Env, spec, around.image),
    ...networkDrift(inspected, told, spec),
  ];
}

/** A word, and what of a container it stands for: asked alike of what should be and of what is. */
type Facet = readonly [word: string, of: (config: Docker.HostConfig) => unknown];

const configFacets: readonly Facet[] = [
  ['mounts', (config) => [config.Binds ?? [], (config.Mounts ?? []).map(mountOf)]],
  ['read-only root', (config) => config.ReadonlyRootfs ?? false],
  ['published port', (config) => config.PortBindings as unknown],
  ['restart policy', (config) => config.RestartPolicy?.Name || 'no'],
];

/** What is the same for every container of one form. */
const formFacets: readonly Facet[] = [
  ['capabilities', (config): unknown => [config.CapAdd ?? [], config.CapDrop ?? []]],
  ['security options', (config): unknown => config.SecurityOpt ?? []],
  ['privileged', (config) => config.Privileged ?? false],
  ['init', (config) => config.Init ?? false],
  ['log rotation', (config) => config.LogConfig],
  ['host namespaces', (config) => [config.PidMode, config.IpcMode, config.UTSMode].includes('host')],
];

function limitFacets(enforces: Limits): Facet[] {
  const facets: readonly (readonly [boolean, Facet])[] = [
    [enforces.cpus, ['cpu limit', (config) => config.NanoCpus ?? 0]],
    [enforces.memory, ['memory limit', (config) => config.Memory ?? 0]],
    [enforces.pids, ['process limit', (config) => config.PidsLimit ?? 0]],
  ];
  return facets.filter(([enforced]) => enforced).map(([, facet]) => facet);
}

/** Only what we say of a mount; engines fill in more. */
const mountOf = (mount: Docker.MountSettings): unknown => [
  mount.Type,
  mount.Source,
  mount.Target,
  mount.ReadOnly ?? false,
];

const differs = (a: unknown, b: unknown): boolean => canonicalJson(a ?? null) !== canonicalJson(b ?? null);

function programDrift(
  config: Docker.ContainerInspectInfo['Config'],
  spec: Spec,
  image: ImageDefaults | null,
): string[] {
  const isImage = [imageRefOf(spec), spec.imageDigest].includes(config.Image);
  const command = spec.command.length > 0 ? spec.command : image?.Cmd;
  const ofImage =
    image === null ? [] : [differs(list(image.Entrypoint), list(config.Entrypoint)) ? ['entrypoint'] : []];
  const user = spec.user ?? image?.User;
  return [
    ...(isImage ? [] : ['image']),
    ...(knows(spec.command, image) && differs(list(command), list(config.Cmd)) ? ['command'] : []),
    ...ofImage.flat(),
    ...((spec.user !== null || image !== null) && (user ?? '') !== config.User ? ['user'] : []),
  ];
}

const knows = (command: readonly string[], image: ImageDefaults | null): boolean =>
  command.length > 0 || image !== null;

const list = (value: string | readonly string[] | null | undefined): readonly string[] =>
  typeof value === 'string' ? [value] : (value ?? []);

function environmentDrift(actual: readonly string[], spec: Spec, image: ImageDefaults | null): string[] {
  const secrets = spec.secrets.filter((secret) => secret.version !== null).map((secret) => secret.name);
  const plain = Object.entries(spec.env).filter(([name]) => !secrets.includes(name));
  const names = actual.map(nameIn);
  const known = new Set([...secrets, ...plain.map(([name]) => name), ...(image?.Env ?? []).map(nameIn)]);
  const wrong = [
    ...plain.filter(([name, value]) => !actual.includes(`${name}=${value}`)).map(([name]) => name),
    ...secrets.filter((name) => !names.includes(name)),
    ...(image === null ? [] : names.filter((name) => !known.has(name))),
  ];
  return wrong.map((name) => `environment ${name}`);
}

const nameIn = (assignment: string): string => assignment.split('=')[0] ?? '';

function networkDrift(inspected: Docker.ContainerInspectInfo, told: Told, spec: Spec): string[] {
  const wanted = networksOf(spec);
  const actual = Object.keys(inspected.NetworkSettings.Networks);
  const nameless = aliases(inspected, NETWORK)?.includes(nameOf(spec, told.instance)) === false;
  return [
    ...wanted.filter((network) => !actual.includes(network)).map((network) => `not on network ${network}`),
    ...actual
      .filter((network) => ![...wanted, LIVE_NETWORK].includes(network))
      .map((network) => `on network ${network}`),
    ...(nameless ? [`without its name on network ${NETWORK}`] : []),
  ];
}
