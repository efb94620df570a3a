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

/**
 * Shows `events` in `list`, newest first. What is there already stays as it is: who reads or has the focus there keeps
 * their place. A trace is a button: it shows all that the trace caused.
 */
export function showEvents(list, events, actions) {
  const there = new Map([...list.children].map((line) => [line.dataset.event, line]));
  const wanted = events.map((event) => there.get(keyOf(event)) ?? lineOf(event, actions));
  for (const line of there.values()) if (!wanted.includes(line)) line.remove();
  wanted.forEach((line, at) => {
    if (list.children[at] !== line) list.insertBefore(line, list.children[at] ?? null);
  });
}

/** Events and single checks are counted apart. */
const keyOf = ({ event_type: type, seq, time_ms: at }) => `${type} ${seq} ${at}`;

const lineOf = (event, { showTrace }) =>
  element(
    'li',
    { 'data-event': keyOf(event) },
    moment(event.timestamp),
    element('strong', {}, event.event_type),
    event.server_name ? ` ${event.server_name}` : '',
    details(event),
    ' ',
    traceButton(event.trace_id, showTrace),
  );

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
