import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/model/failure.ts';
import { readAddress, readBranch, readPath } from '../../src/source/address.ts';

const refusal = (act: () => unknown): Failure => {
  try {
    act();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('it was not refused');
};

describe('--manifest', () => {
  it.each([
    ['https://github.com/o/r.git', 'https://github.com/o/r.git'],
    ['ssh://git@host:2222/o/r.git', 'ssh://git@host:2222/o/r.git'],
    ['git://host/r', 'git://host/r'],
    ['git@github.com:o/r.git', 'git@github.com:o/r.git'],
  ])('%s is a repository elsewhere', (manifest, url) => {
    expect(readAddress(manifest)).toEqual({ kind: 'remote', url, shown: url, login: null });
  });

  it.each([
    ['/etc/manifest/', '/etc/manifest'],
    ['file:///srv/the%20manifest', '/srv/the manifest'],
    ['.', process.cwd()],
    ['./me@home', `${process.cwd()}/me@home`],
    ['a folder/x@1', `${process.cwd()}/a folder/x@1`],
    ['a folder/with spaces', `${process.cwd()}/a folder/with spaces`],
    ['C:odd', `${process.cwd()}/C:odd`],
  ])('%s lies on this machine, and is the same from everywhere', (manifest, place) => {
    expect(readAddress(manifest)).toEqual({ kind: 'local', place, shown: place });
  });

  it('shows no credentials of its address, and keeps them for the request', () => {
    expect(readAddress('https://me:s%3Acret@host/r.git')).toEqual({
      kind: 'remote',
      url: 'https://host/r.git',
      shown: 'https://host/r.git',
      login: 'me:s:cret',
    });
    expect(readAddress('https://tok3n@host/r')).toMatchObject({ url: 'https://host/r', login: 'tok3n' });
    expect(readAddress('ssh://git:pass@host/r')).toMatchObject({ url: 'ssh://git@host/r', login: null });
    expect(readAddress('https://me:a@b@host/r')).toMatchObject({ url: 'https://host/r', login: 'me:a@b' });
    expect(readAddress('git://tok3n@host/r')).toMatchObject({ url: 'git://host/r', login: null });
    expect(readAddress('https://@host/r')).toMatchObject({ url: 'https://host/r', login: null });
  });

  it.each([
    ['https://deploy:s3cr/et@host/x.git', 'https://***@host/x.git', '%2F'],
    ['https://deploy:12345/et@host/x.git', 'https://***@host/x.git', '%2F'],
    ['https://deploy:100%pa@host/x.git', 'https://***@host/x.git', '%25'],
    ['https://deploy:se#cret@host/x.git', 'https://***@host/x.git', '%23'],
    ['https://host/x.git?private_token=secret', 'https://host/x.git?***', '--git-token-file'],
    ['https:/me:secret@host/x.git', '***@host/x.git', '--manifest'],
    ['me:secret@host:o/r.git', '***@host:o/r.git', './'],
  ])('%s is refused without showing its password, with how to mend it', (manifest, shown, advice) => {
    const failure = refusal(() => readAddress(manifest));
    expect(failure.message).toBe(`"${shown}" is not an address of a manifest`);
    expect(failure.suggestedAction).toContain(advice);
  });

  it.each([
    '',
    '--upload-pack=touch x',
    'ext::sh -c touch% x',
    'fd::17',
    'ftp://host/r',
    'https://',
    'https://host/a b',
    'ssh://-oProxyCommand=x/r',
    'a\nb',
    'file://host/x',
    'file:///a%2Fb',
    'file:///%zz',
    'ssh://-oProxyCommand=x@host/r',
  ])('%j is refused with advice', (manifest) => {
    const failure = refusal(() => readAddress(manifest));
    expect(failure.code).toBe('source_unusable');
    expect(failure.suggestedAction).toContain('--manifest');
  });

  it('is refused without showing its credentials', () => {
    expect(refusal(() => readAddress('ftp://me:secret@host/r')).message).toContain('ftp://***@host/r');
  });
});

describe('--branch', () => {
  it.each(['main', 'release/1.x', 'feature/a_b-c', 'größe', 'v1@2'])('%s is a branch', (branch) => {
    expect(readBranch(branch)).toBe(branch);
  });

  it('may be left out, or be given in full', () => {
    expect(readBranch(null)).toBeNull();
    expect(readBranch('refs/heads/main')).toBe('main');
  });

  it.each([
    '',
    '-x',
    '--upload-pack=x',
    'a..b',
    'a b',
    'a:b',
    'a~1',
    'a^',
    '@{1}',
    'x@{1}',
    '/a',
    'a/',
    'a//b',
  ])('%j is refused', (branch) => {
    expect(refusal(() => readBranch(branch)).suggestedAction).toContain('--branch');
  });

  it.each(['a.lock', 'a/.b', 'a.', 'a\u0007', 'a*', 'a[b', 'a\\b', '@'])('%j is refused', (branch) => {
    expect(refusal(() => readBranch(branch)).code).toBe('source_unusable');
  });
});

describe('--path', () => {
  it.each([
    ['ecosystem-manifest.yaml', 'ecosystem-manifest.yaml'],
    ['./a//b c.yaml', 'a/b c.yaml'],
    ['-x.yaml', '-x.yaml'],
  ])('%j is %s', (path, read) => {
    expect(readPath(path)).toBe(read);
  });

  it.each(['', '.', '/etc/passwd', '../x', 'a/../../x', 'a\0b'])('%j is refused', (path) => {
    expect(refusal(() => readPath(path)).suggestedAction).toContain('--path');
  });
});
