import { element, moment } from './draw.js';

const told = new Set(['event_type', 'trace_id', 'timestamp', 'repo', 'seq', 'time_ms', 'server_name']);
const ofInterest = [
  'from',
  'to',
  'version',
  'reason',
  'error',
  'gate',
  'outcome',
  'strategy',
  'attempt',
  'why',
];

/** Events as a list, newest first. A trace is a button: it shows all that the trace caused. */
export function timeline(events, { showTrace }) {
  return events.map((event) =>
    element(
      'li',
      {},
      moment(event.timestamp),
      element('strong', {}, event.event_type),
      event.server_name ? ` ${event.server_name}` : '',
      details(event),
      ' ',
      traceButton(event.trace_id, showTrace),
    ),
  );
}

function details(event) {
  const facts = ofInterest
    .filter(
      (name) => !told.has(name) && event[name] !== undefined && event[name] !== null && event[name] !== '',
    )
    .map((name) => `${name} ${event[name]}`);
  return facts.length === 0 ? '' : ` · ${facts.join(' · ')}`;
}

function traceButton(trace, showTrace) {
  const button = element('button', { type: 'button', title: 'all that this trace caused' }, trace);
  button.addEventListener('click', () => showTrace(trace));
  return button;
}
