/** A name that a manifest takes for each given one; no two alike, nor one like another's namespace. */
export function namesFor(given: readonly string[]): ReadonlyMap<string, string> {
  const taken = new Set<string>();
  const names = new Map<string, string>();
  for (const each of given) {
    const name = freeName(nameOf(each), taken);
    names.set(each, name);
    taken.add(name).add(namespaceOf(name));
  }
  return names;
}

/** Said where a name is not what people will look for. */
export const renamed = (given: string, name: string): readonly string[] =>
  given === name || nameOf(given) === name ? [] : [`it was ${given}: another server has that name`];

function freeName(name: string, taken: ReadonlySet<string>): string {
  const isFree = (tried: string): boolean => !taken.has(tried) && !taken.has(namespaceOf(tried));
  if (isFree(name)) return name;
  let count = 2;
  while (!isFree(`${name.slice(0, 58)}-${count}`)) count += 1;
  return `${name.slice(0, 58)}-${count}`;
}

const namespaceOf = (name: string): string => name.replace(/^mcp-server-(?=.)/, '');

const nameOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 63)
    .replace(/-+$/, '') || 'server';
