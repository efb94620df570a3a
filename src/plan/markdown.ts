import { isIdle, type Decision, type Plan } from '../model/step.ts';
import type { Change } from './diff.ts';
import { plain } from '../lib/plain.ts';

export type Form = 'text' | 'markdown';

/** What `run` would do now, a line a server, aligned. */
export function describePlan(plan: Plan, form: Form = 'text'): string {
  const rows = plan.decisions.map((decision) => [
    decision.server,
    decision.held === null ? wordsOf(decision) : `held (${decision.held})`,
    decision.why,
  ]);
  const suspect = plan.view === 'suspect' ? '\nThe view is suspect: so many fell silent at once.' : '';
  return table(['server', 'next', 'why'], rows, form) + suspect;
}

/** True when there is something that `run` would do. */
export const hasWork = ({ decisions }: Plan): boolean => !decisions.every(isIdle);

/** What changes between two manifests, a line a server. */
export function describeChanges(changes: readonly Change[], form: Form = 'text'): string {
  if (changes.length === 0) return 'Nothing changes.';
  const rows = changes.map(({ server, what, effect }) => [server, what.join('; '), effect]);
  return table(['server', 'what changes', 'what happens'], rows, form);
}

function wordsOf({ step, pull }: Decision): string {
  if (step === null) return pull === null ? '-' : `pull ${pull.spec.settings.version ?? pull.spec.image}`;
  if (step.kind === 'record') return `record ${step.event}`;
  if (step.kind === 'remove_image') return `remove image ${step.image}`;
  if ('spec' in step) return `${step.kind} ${step.spec.settings.version ?? step.spec.image}`;
  return `${step.kind} ${step.instance.instance}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[], form: Form): string {
  const door = form === 'markdown' ? escaped : plain;
  const cells = [head, ...rows].map((row) => row.map(door));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)));
  if (form === 'text') return lines.map((line) => line.join('  ').trimEnd()).join('\n');
  const rule = widths.map((width) => '-'.repeat(Math.max(width, 3)));
  const [first = [], ...others] = lines;
  return [first, rule, ...others].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

/** A manifest's words must not become a table's, nor a page's. */
const escaped = (text: string): string =>
  plain(text)
    .replaceAll(/[\\|`[\]]/g, '\\$&')
    .replaceAll('<', '&lt;')
    .replaceAll(/(?<=^|[\s(])@(?=\w)/g, '&#64;')
    .replaceAll(/\s+/g, ' ');
