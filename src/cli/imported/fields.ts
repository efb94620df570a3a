/** A mapping of somebody else's file: nothing about it is sure. */
export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Empty where there is no mapping. */
export const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Numbers and booleans as they are written; undefined for whatever is no text. */
export const textOf = (value: unknown): string | undefined =>
  ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;

/** The texts of a list. */
export const textsOf = (value: unknown): readonly string[] =>
  listOf(value).flatMap((each) => textOf(each) ?? []);

/** Keys that are given and that nobody here knows a place for, `path.key`. */
export const unplaced = (given: Fields, known: readonly string[], path = ''): readonly string[] =>
  Object.keys(given)
    .filter((key) => !known.includes(key))
    .map((key) => `${path}${key}`);

/** One sentence for all of them; none where all found a place. */
export const lost = (keys: readonly string[]): readonly string[] =>
  keys.length === 0 ? [] : [`not carried over: ${keys.join(', ')}`];
