import { describe, expect, it } from 'vitest';
import { linesOf } from '../../../src/runtime/docker/demux.ts';

function frame(kind: number, text: string): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(kind, 0);
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

describe('the log of a container', () => {
  it('is one, of both outputs, without empty lines', () => {
    const answer = Buffer.concat([frame(1, 'one\r\ntw'), frame(1, 'o\n\n'), frame(2, 'oh no\n')]);
    expect(linesOf(answer, 10)).toEqual(['one', 'two', 'oh no']);
  });

  it('is the last lines, and at most 64 KiB', () => {
    expect(linesOf(frame(1, 'a\nb\nc\n'), 2)).toEqual(['b', 'c']);
    const long = linesOf(frame(1, 'x'.repeat(100_000)), 5);
    expect(long.join('').length).toBe(64 * 1024);
  });

  it('is text as it is where the container has a terminal', () => {
    expect(linesOf(Buffer.from('plain text of a terminal\n'), 5)).toEqual(['plain text of a terminal']);
  });

  it('goes as far as it came when it was cut', () => {
    expect(linesOf(frame(1, 'whole and half').subarray(0, 13), 5)).toEqual(['whole']);
    expect(linesOf(Buffer.concat([frame(1, 'whole\n'), Buffer.from('rubbish without a header')]), 5)).toEqual(
      ['whole'],
    );
    expect(linesOf(Buffer.alloc(0), 5)).toEqual([]);
  });
});
