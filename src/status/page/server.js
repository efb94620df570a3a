import { availabilityText, element, moment, picture } from './draw.js';
import { showEvents } from './timeline.js';

/** One server of the list. It stays the same element for its life, so that nobody who reads it loses their place. */
export class ServerItem {
  constructor(record, actions) {
    this.actions = actions;
    this.line = element('summary');
    this.more = element('div', { class: 'more' });
    this.details = element('details', {}, this.line, this.more);
    this.root = element('li', {}, this.details);
    this.details.addEventListener('toggle', () => this.open());
    this.show(record, null);
  }

  show(record, past) {
    this.record = record;
    this.past = past ?? this.past;
    this.root.dataset.health = record.health;
    this.line.replaceChildren(...lineOf(record, this.past));
    if (this.details.open) this.facts.replaceChildren(...factsOf(record, this.past));
  }

  matches(words, onlyTroubled) {
    const { name, namespace, phase, health, version, why, reason } = this.record;
    const text = [name, namespace, phase, health, version, why, reason].join(' ').toLowerCase();
    return (!onlyTroubled || isTroubled(this.record)) && words.every((word) => text.includes(word));
  }

  async open() {
    if (!this.details.open) return void this.more.replaceChildren();
    this.facts = element('dl', {}, ...factsOf(this.record, this.past));
    this.events = element('ol', { class: 'timeline' });
    this.more.replaceChildren(this.facts, element('h3', {}, 'What happened to it'), this.events);
    await this.refreshEvents();
  }

  async refreshEvents() {
    if (!this.details.open) return;
    const events = await this.actions.eventsOf(this.record.name);
    showEvents(this.events, events, this.actions);
    if (events.length === 0) this.events.append(element('li', { class: 'quiet' }, 'nothing since the start'));
  }
}

export const isTroubled = ({ health, phase, recovery, desired_state: wanted }) =>
  health === 'unhealthy' ||
  health === 'degraded' ||
  recovery.requires_manual ||
  (wanted === 'running' && !['ready', 'draining'].includes(phase));

function lineOf(record, past) {
  const { name, phase, health, version, desired_version: desired, reason, why, update } = record;
  const versions =
    desired === null || version === desired ? (version ?? '–') : `${version ?? '–'} → ${desired}`;
  const state = element('span', {}, element('span', { class: health }, health), ` · ${phase}`);
  const missed = update.state === 'check_failed' ? ' (newer ones not known)' : '';
  const available = update.available === null ? '' : ` (${update.available} available)`;
  const aside = update.quarantined.length === 0 ? '' : ` (${update.quarantined.length} set aside)`;
  return [
    element('span', { class: 'name' }, name),
    state,
    element('span', {}, versions, available, missed, aside),
    element('span', { class: 'why' }, [reason, why].filter(Boolean).join(': ')),
    element('span', { class: 'picture' }, picture(past)),
  ];
}

function factsOf(record, past) {
  const { recovery, update } = record;
  const facts = [
    ['about', record.description],
    ['since', moment(record.since)],
    ['to do', record.suggested_action],
    ['availability', availabilityText(past)],
    ['last check', record.last_check && moment(record.last_check)],
    ['answered in', record.response_time_ms === null ? null : `${record.response_time_ms} ms`],
    ['mcp', record.mcp_url],
    ...record.endpoints.map((each) => [each.role, endpointText(each)]),
    ['image', record.image],
    ['digest', record.image_digest],
    ['update', update.state === 'none' ? update.strategy : `${update.strategy}, ${update.state}`],
    ['not known since', update.at && moment(update.at)],
    ['not known because', update.reason],
    ['available', update.available],
    ...update.passed_over.map((each) => ['passed over', `${each.image}: ${each.reason}`]),
    ...update.quarantined.map((each) => [
      'set aside',
      `${each.version ?? each.image_digest} at ${each.gate}: ${each.reason}`,
    ]),
    ['recovery', recovery.attempts > 0 ? recoveryText(recovery) : null],
    ['departs', record.departures.join('; ')],
    ['revision', record.revision],
    ['trace', record.trace_id],
  ];
  return facts
    .filter(([, value]) => value !== null && value !== '' && value !== undefined)
    .flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]);
}

const endpointText = ({ instance, url, drain_deadline: deadline }) =>
  `${instance} ${url ?? ''}${deadline ? ` until ${deadline}` : ''}`;

const recoveryText = ({ attempts, max_attempts: max, requires_manual: manual }) =>
  `${attempts} of ${max} attempts${manual ? '; a person is needed' : ''}`;
