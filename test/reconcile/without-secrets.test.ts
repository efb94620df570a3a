import { expect, it } from 'vitest';
import { withoutSecrets } from '../../src/reconcile/without-secrets.ts';
import type { EventDraft } from '../../src/model/event.ts';

const scrub = (text: string): string => text.replaceAll('hunter2', '***');
const draft = (fields: object): EventDraft =>
  ({ event: 'version_quarantined', server: 'a', traceId: 'hunter2', fields }) as unknown as EventDraft;

it('what others said is told without secrets, however deep, and our own fields are left alone', () => {
  const said = draft({
    spec: 'sha256:hunter2',
    evidence: { reason: 'reports_version_hunter2', exit_code: 1, log: ['key hunter2'], oom: null },
    checks: { 'db hunter2': 'no: hunter2' },
    error: 'hunter2',
  });
  expect(withoutSecrets(said, scrub)).toEqual(
    draft({
      spec: 'sha256:hunter2',
      evidence: { reason: 'reports_version_***', exit_code: 1, log: ['key ***'], oom: null },
      checks: { 'db ***': 'no: ***' },
      error: '***',
    }),
  );
});
