import { shown } from '../lib/plain.ts';
import type { Output } from './command.ts';

/** The colours of ours and the clearing of the screen, as they are written to a terminal. */
const ours = /(\u001b\[(?:[0129]|22|3[1-9])m|\u001b\[H\u001b\[2J)/;

/** An output through which nothing that others wrote steers a terminal: the last door, behind those of each table and sentence. */
export const shielding = (output: Output): Output => ({
  isTTY: output.isTTY,
  get columns() {
    return output.columns;
  },
  write: (text: string) =>
    output.write(output.isTTY === true ? text.split(ours).map(shownUnlessOurs).join('') : shown(text)),
});

/** `split` puts what it split at into every second place. */
const shownUnlessOurs = (text: string, place: number): string => (place % 2 === 1 ? text : shown(text));
