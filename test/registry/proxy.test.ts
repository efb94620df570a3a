import { describe, expect, it } from 'vitest';
import { isInRange, proxyFor } from '../../src/registry/proxy.ts';

const proxy = 'http://proxy.corp.test:3128';
const chosen = (url: string, env: Record<string, string>) => proxyFor(new URL(url), env)?.host ?? null;

describe('the proxy of an address', () => {
  it.each([
    ['https://ghcr.io', { HTTPS_PROXY: proxy }, 'proxy.corp.test:3128'],
    ['https://ghcr.io', { https_proxy: proxy }, 'proxy.corp.test:3128'],
    ['https://ghcr.io', { HTTPS_PROXY: proxy, https_proxy: 'http://other:1' }, 'proxy.corp.test:3128'],
    ['https://ghcr.io', { HTTPS_PROXY: '', https_proxy: proxy }, 'proxy.corp.test:3128'],
    ['https://ghcr.io', { HTTPS_PROXY: 'proxy.corp.test:3128' }, 'proxy.corp.test:3128'],
    ['https://ghcr.io', { HTTP_PROXY: proxy }, null],
    ['http://10.0.0.1', { HTTP_PROXY: proxy }, 'proxy.corp.test:3128'],
    ['https://ghcr.io', {}, null],
    ['https://127.0.0.1:5000', { HTTPS_PROXY: proxy }, null],
    ['https://localhost:5000', { HTTPS_PROXY: proxy }, null],
    ['https://[::1]:5000', { HTTPS_PROXY: proxy }, null],
  ])('%s with %j is %s', (url, env, expected) => {
    expect(chosen(url, env)).toBe(expected);
  });

  it.each([
    ['registry.corp.test', 'https://registry.corp.test', true],
    ['corp.test', 'https://registry.corp.test', true],
    ['corp.test', 'https://corp.test', true],
    ['corp.test', 'https://notcorp.test', false],
    ['.corp.test', 'https://registry.corp.test', true],
    ['.corp.test', 'https://corp.test', false],
    ['*.corp.test', 'https://registry.corp.test', true],
    ['*.corp.test', 'https://corp.test', false],
    ['CORP.test', 'https://Registry.corp.TEST', true],
    [' a.test , corp.test', 'https://registry.corp.test', true],
    ['corp.test:5000', 'https://registry.corp.test:5000', true],
    ['corp.test:5000', 'https://registry.corp.test', false],
    ['corp.test:443', 'https://registry.corp.test', true],
    ['*', 'https://ghcr.io', true],
    ['10.0.0.0/8', 'https://10.2.3.4:5000', true],
    ['10.0.0.0/8', 'https://11.2.3.4', false],
    ['10.0.0.0/8', 'https://registry.corp.test', false],
    ['10.2.3.4', 'https://10.2.3.4', true],
    ['10.2.3.4:5000', 'https://10.2.3.4', false],
    ['fd00::/8', 'https://[fd00::5]:5000', true],
    ['fd00::5', 'https://[fd00::5]', true],
    ['[fd00::5]:5000', 'https://[fd00::5]:5000', true],
    ['10.0.0.0/99,/,:,.', 'https://10.2.3.4', false],
    ['', 'https://ghcr.io', false],
  ])('is left out by NO_PROXY=%s for %s: %s', (list, url, left) => {
    expect(chosen(url, { HTTPS_PROXY: proxy, NO_PROXY: list })).toBe(left ? null : 'proxy.corp.test:3128');
    expect(chosen(url, { HTTPS_PROXY: proxy, no_proxy: list })).toBe(left ? null : 'proxy.corp.test:3128');
  });

  it('that is no address is an error', () => {
    expect(() => chosen('https://ghcr.io', { HTTPS_PROXY: 'http://[' })).toThrow(TypeError);
  });
});

it.each([
  ['172.17.0.1', '172.17.0.0/16', true],
  ['172.18.0.1', '172.17.0.0/16', false],
  ['::1', '127.0.0.0/8', false],
  ['registry.test', '0.0.0.0/0', false],
])('%s is in %s: %s', (address, range, is) => {
  expect(isInRange(address, range)).toBe(is);
});
