/** Most bytes of a log that are given. */
const MOST_BYTES = 64 * 1024;
const HEADER = 8;

/** The lines in an answer of `GET /containers/x/logs`: frames of an 8-byte header (kind, 3 x 0, length) and their bytes. */
export function linesOf(answer: Buffer, most: number): string[] {
  const text = payload(answer).subarray(-MOST_BYTES).toString('utf8');
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  return lines.filter((line) => line !== '').slice(-most);
}

/** A torn last frame counts as far as it goes; an answer without frames (a terminal's) is text as it is. */
function payload(answer: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + HEADER <= answer.length;) {
    if (!isHeader(answer, at)) return parts.length === 0 ? answer : Buffer.concat(parts);
    const length = answer.readUInt32BE(at + 4);
    parts.push(answer.subarray(at + HEADER, at + HEADER + length));
    at += HEADER + length;
  }
  return Buffer.concat(parts);
}

const isHeader = (answer: Buffer, at: number): boolean =>
  answer.readUInt8(at) <= 2 && answer.readUIntBE(at + 1, 3) === 0;
