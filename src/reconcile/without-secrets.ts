import type { EventDraft } from '../model/event.ts';

/** Where words of others may stand: of servers, engines, registries, people. All other fields are our own. */
const WORDS_OF_OTHERS: ReadonlySet<string> = new Set([
  ...['error', 'reason', 'why', 'evidence', 'details', 'checks', 'drift', 'suggested_action'],
]);

/** The draft with every secret value blotted out of what others said. */
export function withoutSecrets(draft: EventDraft, scrub: (text: string) => string): EventDraft {
  const fields = Object.entries(draft.fields).map(([name, value]: [string, unknown]) => [
    name,
    WORDS_OF_OTHERS.has(name) ? scrubbed(value, scrub) : value,
  ]);
  return { ...draft, fields: Object.fromEntries(fields) as object } as EventDraft;
}

function scrubbed(value: unknown, scrub: (text: string) => string): unknown {
  if (typeof value === 'string') return scrub(value);
  if (Array.isArray(value)) return value.map((one) => scrubbed(one, scrub));
  if (value === null || typeof value !== 'object') return value;
  const pairs = Object.entries(value).map(([name, one]) => [scrub(name), scrubbed(one, scrub)]);
  return Object.fromEntries(pairs);
}
