import { ownValue } from './own-value.ts';
/** Plain data, such as JSON holds, that says the same. What is the same object costs nothing. */
export function isEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const fields = Object.entries(one);
  if (fields.length !== Object.keys(other).length) return false;
  return fields.every(
    ([key, value]) =>
      Object.hasOwn(other, key) && isEqual(value, ownValue(other as Record<string, unknown>, key)),
  );
}
