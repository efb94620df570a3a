import semver from 'semver';
import { describe, expect, it } from 'vitest';
import { textOf } from './support/repository.ts';

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly engines?: { readonly node?: string };
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly link?: boolean;
}

const lock = JSON.parse(textOf('package-lock.json')) as {
  readonly packages: Readonly<Record<string, Locked>>;
};
const own = JSON.parse(textOf('package.json')) as {
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};

/** All but ourselves. */
const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
const nodes = ['20.19.0', '22.13.0', '24.0.0'];

/** Nobody who runs this owes anybody more than a mention. */
const licences = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'Unlicense',
];

/** Licences that the package's own registry entry leaves out, read in their LICENSE files. */
const licenceByReading: Readonly<Record<string, string>> = {
  'node_modules/buildcheck': 'MIT',
  'node_modules/cpu-features': 'MIT',
  'node_modules/ssh2': 'MIT',
};

describe('the packages', () => {
  it.each(nodes)('all run on Node %s', (node) => {
    expect(semver.satisfies(node, own.engines.node)).toBe(true);
    const refusing = packages.filter(
      ([, { engines, optional }]) => optional !== true && !semver.satisfies(node, engines?.node ?? '*'),
    );
    expect(refusing.map(([path, { engines }]) => `${path} wants ${engines?.node ?? ''}`)).toEqual([]);
  });

  it('of the program have licences that ask for no more than a mention', () => {
    const others = packages
      .filter(([, { dev }]) => dev !== true)
      .map(([path, { license }]) => [path, license ?? licenceByReading[path]] as const)
      .filter(([, license]) => license === undefined || !licences.includes(license));
    expect(others).toEqual([]);
  });

  it('are pinned to one version each', () => {
    const loose = Object.entries({ ...own.dependencies, ...own.devDependencies }).filter(
      ([, version]) => semver.valid(version) !== version,
    );
    expect(loose).toEqual([]);
  });

  it('are known by their content, and come from nowhere but the public registry', () => {
    const unknown = packages.filter(([, { integrity, link }]) => link !== true && integrity === undefined);
    expect(unknown.map(([path]) => path)).toEqual([]);
    const elsewhere = packages.filter(
      ([, { resolved }]) => resolved !== undefined && !resolved.startsWith('https://registry.npmjs.org/'),
    );
    expect(elsewhere.map(([path, { resolved }]) => `${path} from ${resolved ?? ''}`)).toEqual([]);
  });

  it('run no scripts when they are installed, and are refused by a Node they do not fit', () => {
    expect(textOf('.npmrc').split('\n')).toEqual(
      expect.arrayContaining(['ignore-scripts=true', 'engine-strict=true']),
    );
  });
});
