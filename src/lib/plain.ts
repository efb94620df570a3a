/** Control characters, of which an escape sequence begins with one, line separators, and what turns the direction of writing. */
const steering = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** What others wrote, as one line that steers no terminal, table, chat or page: whatever could becomes a space. */
export const plain = (text: string): string => text.replace(steering, ' ');

/**
 * The same for whole texts of ours that may hold words of others: lines and tabs stay, all else is shown as JSON would
 * write it (`\u001b`), so that JSON stays JSON and says the same.
 */
export const shown = (text: string): string =>
  text.replace(steering, (sign) =>
    sign === '\n' || sign === '\t' ? sign : `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
