import { say } from './draw.js';
import { follow } from './live.js';
import { ServerItem } from './server.js';
import { showEvents } from './timeline.js';

const at = (id) => document.getElementById(id);
const items = new Map();
const pasts = new Map();
let trace = null;
let lastHeard = null;

const actions = {
  async eventsOf(server) {
    return (await read(`/servers/${encodeURIComponent(server)}/events?limit=50`)).events;
  },
  showTrace(id) {
    trace = id;
    void refreshEvents().then(() => at('events-title').scrollIntoView(), late);
  },
};

async function read(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

function show(record) {
  const known = items.get(record.name);
  if (known) return known.show(record, pasts.get(record.name));
  const made = new ServerItem(record, actions);
  items.set(record.name, made);
  const after = [...items.values()].find((each) => each.record.name > record.name && each.root.isConnected);
  at('servers').insertBefore(made.root, after?.root ?? null);
}

function forget(name) {
  items.get(name)?.root.remove();
  items.delete(name);
}

function showSnapshot(snapshot) {
  const there = new Set(snapshot.servers.map((record) => record.name));
  for (const name of [...items.keys()]) if (!there.has(name)) forget(name);
  for (const record of [...snapshot.servers].sort((a, b) => (a.name < b.name ? -1 : 1))) show(record);
  showAround(snapshot);
}

function showAround({ source, view }) {
  const revision = (source.applied_revision ?? source.attempted_revision ?? '').slice(0, 12);
  const facts = [source.url, source.branch, revision, source.state, source.error];
  say(at('source'), facts.filter(Boolean).join(' · '));
  at('doubt').hidden = view !== 'suspect';
  const doubt = 'So many servers fell silent at once that our own view is doubted: nothing is restarted.';
  say(at('doubt'), doubt);
}

function showSummary() {
  const counts = {};
  for (const { record } of items.values()) counts[record.health] = (counts[record.health] ?? 0) + 1;
  const parts = ['healthy', 'degraded', 'unhealthy', 'unknown']
    .filter((each) => counts[each])
    .map((each) => `${counts[each]} ${each}`);
  const text = [`${items.size} ${items.size === 1 ? 'server' : 'servers'}`, ...parts].join(', ');
  if (at('summary').textContent !== text) say(at('summary'), text);
  document.title = `${counts.unhealthy ? `(${counts.unhealthy} down) ` : ''}mcp-orchestration`;
}

function filter() {
  const words = at('find').value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const item of items.values()) item.root.hidden = !item.matches(words, at('troubled').checked);
  at('nothing').hidden = [...items.values()].some((item) => !item.root.hidden);
}

async function refreshEvents() {
  const path = trace === null ? '/events?limit=60' : `/traces/${encodeURIComponent(trace)}/events?limit=200`;
  const { events } = await read(path);
  showEvents(at('events'), events, actions);
  at('trace').hidden = trace === null;
  say(at('cause'), `Only what ${trace} caused.`);
}

async function refreshPasts() {
  const { servers } = await read('/health/history');
  for (const past of servers) pasts.set(past.name, past);
  for (const { record } of items.values()) show(record);
}

/** At once the first time, and then at most once a second, however fast changes come. */
let pause = 0;
let isDue = false;
function soon() {
  if (isDue) return;
  isDue = true;
  setTimeout(() => {
    isDue = false;
    void refresh().catch(late);
  }, pause);
  pause = 1_000;
}

async function refresh() {
  await Promise.all([refreshEvents(), refreshPasts()]);
  await Promise.all([...items.values()].map((item) => item.refreshEvents()));
  at('late').hidden = true;
}

/** One question failed; whether we are cut off is for the stream to say. */
function late() {
  at('late').hidden = false;
  setTimeout(soon, 5_000);
}

function showState(state) {
  if (state === 'live') lastHeard = new Date();
  const since =
    lastHeard === null ? '' : ` What you see is from ${lastHeard.toISOString().slice(11, 19)} UTC.`;
  const text = state === 'live' ? 'live' : `cut off from the orchestrator; trying again.${since}`;
  at('live').className = state;
  if (at('live').textContent !== text) say(at('live'), text);
}

function told(message) {
  if (message.event_type === 'snapshot') showSnapshot(message);
  else if (message.record) show(message.record);
  else if (message.server) forget(message.server);
  else void read('/health/status').then(showAround, late);
  showSummary();
  filter();
  soon();
}

at('filter').addEventListener('submit', (event) => event.preventDefault());
at('filter').addEventListener('input', filter);
at('everything').addEventListener('click', () => {
  trace = null;
  at('events-title').focus();
  void refreshEvents().catch(late);
});
setInterval(() => void refreshPasts().catch(late), 30_000);
follow({ told, state: showState });
