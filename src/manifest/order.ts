/** What has a name and may need others. */
interface Node {
  readonly name: string;
  readonly dependsOn: readonly string[];
}

/**
 * The same servers, each after all it depends on; otherwise in the order given. Names that are not there are passed
 * over, and of a circle (which no manifest has) every member still comes once.
 */
export function dependencyOrder<T extends Node>(servers: readonly T[]): readonly T[] {
  const byName = new Map(servers.map((server) => [server.name, server]));
  const placed = new Set<string>();
  const ordered: T[] = [];
  for (const server of servers) placeAfterItsNeeds(server);
  return ordered;

  // A stack of our own: a long chain must not end in a stack overflow.
  function placeAfterItsNeeds(first: T): void {
    const trail = [{ server: first, ahead: [...first.dependsOn] }];
    const onTrail = new Set([first.name]);
    for (let top = trail.at(-1); top !== undefined; top = trail.at(-1)) {
      const needed = byName.get(top.ahead.shift() ?? top.server.name);
      if (needed === top.server) {
        trail.pop();
        if (!placed.has(needed.name)) ordered.push(needed);
        placed.add(needed.name);
      } else if (needed !== undefined && !placed.has(needed.name) && !onTrail.has(needed.name)) {
        onTrail.add(needed.name);
        trail.push({ server: needed, ahead: [...needed.dependsOn] });
      }
    }
  }
}
