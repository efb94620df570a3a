import { describe, expect, it } from 'vitest';
import { isLoopback, parseImage, parseRepository } from '../../src/registry/reference.ts';
import { readChallenge } from '../../src/registry/token.ts';

describe('the name of an image', () => {
  it.each([
    ['postgres', 'docker.io', 'library/postgres', 'latest'],
    ['docker.io/a/b:1.0', 'docker.io', 'a/b', '1.0'],
    ['a/b:1.0@sha256:x', 'docker.io', 'a/b', 'sha256:x'],
    ['ghcr.io/a/b/c', 'ghcr.io', 'a/b/c', 'latest'],
    ['localhost/a:2', 'localhost', 'a', '2'],
    ['127.0.0.1:5000/a/b:v1', '127.0.0.1:5000', 'a/b', 'v1'],
  ])('%s is %s, %s, %s', (image, host, name, reference) => {
    expect(parseImage(image)).toMatchObject({ repository: { host, name }, reference });
  });

  it.each([
    ['a/b', 'registry-1.docker.io'],
    ['ghcr.io/a', 'ghcr.io'],
    ['[::1]:5000/a', '[::1]:5000'],
  ])('of %s is asked for at %s', (repository, site) => {
    expect(parseRepository(repository).site).toBe(site);
  });

  it.each(['localhost', '127.0.0.1', '127.9.9.9', '[::1]'])('%s is this machine', (hostname) => {
    expect(isLoopback(hostname)).toBe(true);
  });

  it.each(['127.0.0.1.evil.example', 'localhost.evil.example', '10.0.0.1', '[::2]'])(
    '%s is not this machine',
    (hostname) => {
      expect(isLoopback(hostname)).toBe(false);
    },
  );
});

describe('a challenge', () => {
  it('prefers a token to a password', () => {
    const header = 'Basic realm="x", Bearer realm="https://auth.example/token",service="s, t"';
    const parameters = { realm: 'https://auth.example/token', service: 's, t' };
    expect(readChallenge(header)).toEqual({ scheme: 'bearer', parameters });
    expect(readChallenge('basic realm="x"')).toEqual({ scheme: 'basic', parameters: { realm: 'x' } });
    expect(readChallenge('Negotiate')).toBeNull();
    expect(readChallenge(undefined)).toBeNull();
  });
});
