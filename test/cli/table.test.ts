import { describe, expect, it } from 'vitest';
import { painted, styleOf, table } from '../../src/cli/table.ts';

const plain = { colour: false, width: null };

describe('a table', () => {
  it('is aligned, and has no spaces at the ends of lines', () => {
    const rows = [
      ['SERVER', 'PHASE'],
      ['mcp-server-github', { text: 'ready', tone: 'good' as const }],
      ['a', ''],
    ];
    expect(table(rows, plain)).toBe('SERVER             PHASE\nmcp-server-github  ready\na\n');
    expect(table([], plain)).toBe('');
  });

  it('is aligned by what is seen, not by its colours', () => {
    const text = table(
      [
        [{ text: 'ab', tone: 'bad' }, 'x'],
        ['abcd', 'y'],
      ],
      { colour: true, width: null },
    );
    expect(text).toBe('\u001b[31mab    \u001b[39mx\nabcd  y\n');
  });

  it('is cut to the width of a terminal', () => {
    const rows = [['mcp-server-github', 'a long story', 'more']];
    expect(table(rows, { colour: false, width: 24 })).toBe('mcp-server-github  a lo…\n');
    expect(table(rows, { colour: false, width: 19 })).toBe('mcp-server-github\n');
  });

  it('cannot be used to steer the terminal', () => {
    expect(table([['\u001b[2Jgone\nnext\u202e', 'x']], plain)).toBe(' [2Jgone next   x\n');
    expect(painted('a\u0007\r\n', plain)).toBe('a   ');
  });
});

describe('colours', () => {
  const terminal = { write: () => true, isTTY: true, columns: 80 };

  it('are for terminals alone, where nobody has said no', () => {
    expect(styleOf(terminal, {})).toEqual({ colour: true, width: 80 });
    expect(styleOf({ ...terminal, columns: undefined }, {})).toEqual({ colour: true, width: null });
    expect(styleOf({ ...terminal, isTTY: false }, {})).toEqual({ colour: false, width: null });
    expect(styleOf(terminal, { NO_COLOR: '1' }).colour).toBe(false);
    expect(styleOf(terminal, { TERM: 'dumb' }).colour).toBe(false);
  });

  it('come in every tone', () => {
    const tones = ['good', 'warn', 'bad', 'quiet', 'strong', 'plain'] as const;
    const texts = tones.map((tone) => painted({ text: 'x', tone }, { colour: true, width: null }));
    expect(new Set(texts).size).toBe(6);
  });
});
