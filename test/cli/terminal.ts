import type { Io, Output } from '../../src/cli/command.ts';
import { systemClock, type Clock } from '../../src/lib/clock.ts';

interface Screen extends Output {
  readonly text: string;
}

interface Terminal extends Io {
  readonly stdout: Screen;
  readonly stderr: Screen;
}

/** What a command writes is kept as text. */
export function terminal(
  options: {
    env?: Record<string, string>;
    isTTY?: boolean;
    clock?: Clock;
    signal?: AbortSignal;
  } = {},
): Terminal {
  return {
    stdout: screen(options.isTTY ?? false),
    stderr: screen(options.isTTY ?? false),
    env: options.env ?? {},
    clock: options.clock ?? systemClock,
    signal: options.signal ?? new AbortController().signal,
  };
}

function screen(isTTY: boolean): Screen {
  let written = '';
  return {
    isTTY,
    columns: 160,
    write: (text) => (written += text),
    get text() {
      return written;
    },
  };
}
