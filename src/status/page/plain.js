/** As `src/lib/plain.ts`, for the browser: a test compares the two sign by sign. */
const steering = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** What others wrote, as one line that turns no direction of writing: whatever could becomes a space. */
export const plain = (text) => String(text).replace(steering, ' ');
