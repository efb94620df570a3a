import { err, ok, type Result } from './result.ts';

/** What a file is instead of a text in UTF-8, in words that follow its name. */
export interface NoUtf8 {
  readonly what: 'is UTF-16' | 'is not UTF-8';
  readonly advice: string;
}

/** The text of a file; a byte order mark at its beginning is no part of it. Zero bytes are looked for in its first 4 KiB. */
export function readUtf8(bytes: Uint8Array): Result<string, NoUtf8> {
  if (isUtf16(bytes)) return err({ what: 'is UTF-16', advice: UTF16_ADVICE });
  try {
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return err({ what: 'is not UTF-8', advice: 'Save the file as UTF-8.' });
  }
}

const UTF16_ADVICE =
  'Save the file as UTF-8; older PowerShell writes UTF-16: there, Set-Content -Encoding utf8 instead of `>`.';

/** By its mark, or by every other byte of its beginning being zero, as plain letters are in it. */
function isUtf16(bytes: Uint8Array): boolean {
  if (bytes.length < 4 || bytes.length % 2 !== 0) return false;
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  const beginning = [...bytes.subarray(0, 4096)];
  const zerosAt = (half: number): number =>
    beginning.filter((byte, at) => byte === 0 && at % 2 === half).length;
  const [even, odd] = [zerosAt(0), zerosAt(1)];
  return Math.min(even, odd) === 0 && even + odd > beginning.length * 0.4;
}
