import { resolve } from 'node:path';
import { openListening } from '../../../src/app/listen.ts';
import { StartError } from '../../../src/app/config.ts';
import { parseImage, parseRepository } from '../../../src/registry/reference.ts';
import { readAddress, readBranch, readCommitish, readPath } from '../../../src/source/address.ts';
import type { Random } from '../../support/random.ts';
import { damagedText } from '../damage.ts';
import { brokenInFailure, secretWords, shown, stackOf, type Field } from '../field.ts';
import { oddText } from '../odd.ts';

/** Addresses of remotes, images and endpoints, as people type and paste them. */
export function addressField(): Field {
  return {
    name: 'address',
    attempt: async (random) => [
      ...remote(random),
      ...names(random),
      ...images(random),
      ...(await endpoints(random)),
    ],
    close: () => Promise.resolve(),
  };
}

/** No part of a password is ever told, whatever stands around it. */
function remote(random: Random): string[] {
  const secrets = secretWords(random, 2);
  const between = random.pick([
    '/',
    '%',
    '@',
    ':',
    '#',
    '?',
    ' ',
    '%2f',
    '%zz',
    '\\',
    '[',
    ']',
    '&',
    '"',
    'ä',
  ]);
  const [scheme, host] = [
    random.pick(['https', 'http', 'ssh', 'git', 'HTTPS', 'file', 'ftp']),
    hostOf(random),
  ];
  const user = random.pick(['me', '', 'x-access-token', 'me%40acme']);
  const address = `${scheme}://${user}:${secrets.join(between)}@${host}/acme/manifest.git`;
  const text = random.chance(0.8) ? address : address.replace('acme', oddText(random).slice(0, 200));
  try {
    const read = readAddress(text);
    // What is on this machine is a name, and is shown as it is.
    if (read.kind === 'local')
      return told(read.place === read.shown, text, 'a local place is not shown as it is');
    return secrets.some((secret) => (read.url + read.shown).includes(secret))
      ? [`a password is told of ${shown(text)}: ${shown(read.shown)}`]
      : [];
  } catch (error) {
    return brokenInFailure(error, secrets);
  }
}

const hostOf = (random: Random): string =>
  random.chance(0.8)
    ? random.pick(['github.com', '127.0.0.1:8080', '[::1]', 'git.acme.example:443'])
    : oddText(random);

function names(random: Random): string[] {
  const text = random.chance(0.5) ? oddText(random) : damagedText(random, 'release/v1.0');
  return [readBranch, readCommitish, readPath].flatMap((read) => {
    try {
      const value = read(text);
      const outside = read === readPath && !resolve('/top', value ?? '').startsWith('/top/');
      return outside ? [`a path leads outside: ${shown(text)}`] : [];
    } catch (error) {
      return brokenInFailure(error);
    }
  });
}

function images(random: Random): string[] {
  const text = random.chance(0.3)
    ? oddText(random)
    : damagedText(
        random,
        random.pick(['ghcr.io/a/b:1.0', 'a/b', `127.0.0.1:5000/a/b@sha256:${'a'.repeat(64)}`]),
      );
  try {
    const { repository, reference } = parseImage(text);
    return [
      ...told(typeof reference === 'string', text, 'no reference'),
      ...told(parseRepository(text).host !== undefined, text, 'no host'),
      ...told(typeof repository.site === 'string', text, 'no site'),
    ];
  } catch (error) {
    return [`parseImage throws for ${shown(text)}: ${stackOf(error)}`];
  }
}

/** Only loopback is open to all; nothing that is odd counts as loopback. */
async function endpoints(random: Random): Promise<string[]> {
  const text = random.chance(0.4)
    ? oddText(random)
    : damagedText(random, random.pick(['127.0.0.1:8090', '[::1]:8090', 'localhost:0', '0.0.0.0:80']));
  const order = { listen: text, tokenFile: null, openStatus: false, tlsCert: null, tlsKey: null };
  try {
    const { host, port } = await openListening(order);
    const fits = Number.isInteger(port) && port >= 0 && port <= 65_535 && /^(localhost|::1|127\.)/.test(host);
    return told(fits, text, `it would listen on ${host}:${port} without a token`);
  } catch (error) {
    return error instanceof StartError ? [] : [`openListening throws for ${shown(text)}: ${stackOf(error)}`];
  }
}

const told = (holds: boolean, text: string, what: string): string[] =>
  holds ? [] : [`${what}: ${shown(text)}`];
