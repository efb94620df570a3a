import { describe, expect, it } from 'vitest';
import { refuseStranger, refuseWithoutToken } from '../../src/status/access.ts';

const access = { hosts: ['status.example', '[fd00::1]'], token: 'hunter2' };
const from = (host: string | undefined, origin?: string) =>
  refuseStranger({ host, origin, authorization: undefined }, access)?.code ?? 'let in';
const showing = (authorization?: string) =>
  refuseWithoutToken({ host: undefined, origin: undefined, authorization }, access)?.code ?? 'let in';

describe('who asks us by', () => {
  it.each(['localhost', 'localhost:8090', 'x.localhost', '127.0.0.1:8090', '127.8.9.1', '[::1]:8090'])(
    'the loopback name %s is let in',
    (host) => expect(from(host)).toBe('let in'),
  );

  it.each(['status.example:443', 'STATUS.example', '[fd00::1]:1'])('the allowed name %s is let in', (host) =>
    expect(from(host)).toBe('let in'),
  );

  it.each([
    'evil.example',
    '10.0.0.1:8090',
    '127.0.0.1.evil.example',
    'localhost.evil',
    '[::2]',
    '',
    'a b',
    undefined,
  ])('the strange name %s is refused', (host) => expect(from(host)).toBe(403));

  it('a page of ours is let in, that of a stranger is not', () => {
    expect(from('localhost', 'http://localhost:3000')).toBe('let in');
    expect(from('localhost', 'https://status.example')).toBe('let in');
    expect(from('localhost', 'https://evil.example')).toBe(403);
    expect(from('localhost', 'null')).toBe(403);
  });
});

describe('the token', () => {
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

  it.each(['Bearer hunter2', 'bearer hunter2', basic('anybody:hunter2'), basic('hunter2')])(
    '%s opens',
    (header) => expect(showing(header)).toBe('let in'),
  );

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer hunter',
    'Bearer hunter22',
    'Digest hunter2',
    basic('hunter2:x'),
    'Basic',
  ])('%s does not open', (header) => expect(showing(header)).toBe(401));

  it('is not asked for where there is none', () => {
    expect(
      refuseWithoutToken(
        { host: '', origin: undefined, authorization: undefined },
        { hosts: [], token: null },
      ),
    ).toBeNull();
  });
});
