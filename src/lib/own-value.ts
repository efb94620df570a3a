/**
 * What a record itself holds under a key that other people chose; undefined: nothing. A plain object answers to
 * `constructor`, `toString` and `__proto__` as well, without anybody having put them there.
 */
export function ownValue<V>(
  record: Readonly<Record<string, V>> | null | undefined,
  key: string,
): V | undefined {
  return record != null && Object.hasOwn(record, key) ? record[key] : undefined;
}

/** The record without one key; the same record when it is not there. */
export function without<V>(record: Readonly<Record<string, V>>, key: string): Readonly<Record<string, V>> {
  if (!Object.hasOwn(record, key)) return record;
  return Object.fromEntries(Object.entries(record).filter(([other]) => other !== key));
}
