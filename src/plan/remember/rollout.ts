import { ownValue, without } from '../../lib/own-value.ts';
import type { Event } from '../../model/event.ts';
import type { Postponed, ServerMemory } from '../../model/memory.ts';
import { isOlder } from '../versions.ts';
import { withoutIncident, type Folds } from './fold.ts';

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 900_000;

/** Which version is on its way, answers, is proven, or is set aside. */
export const rollout: Folds<ServerMemory> = {
  version_resolved: resolved,
  update_started: (server, { rollout_id: id, spec, from_version: fromVersion = null, time_ms: at }) => ({
    ...server,
    rollout: { id, spec, at, fromVersion },
  }),
  server_started: (server, { spec }) => ({ ...server, postponed: without(server.postponed, spec) }),
  server_promoting: promoted,
  server_ready: (server, event) => ({
    ...withoutIncident(promoted(server, event)),
    drains: without(server.drains, event.container_id),
    postponed: without(server.postponed, event.spec),
  }),
  drain_started: (server, { container_id: id, time_ms: at }) => ({
    ...server,
    drains: { ...server.drains, [id]: at },
  }),
  server_leaving: leftSick,
  update_gate_failed: gateFailed,
  update_completed: proven,
  update_failed: (server, { spec, rollout_id: id }) => ({
    ...server,
    rollout: ended(server, spec),
    failedRollout: id ?? null,
  }),
  version_quarantined: quarantined,
  rollback_started: (server, { from_spec: from, to_spec: to, time_ms: at }) => ({
    ...server,
    rollback: { from, to, at, open: true },
  }),
  rollback_completed: wayBackEnded,
  rollback_failed: wayBackEnded,
};

/** What an entry itself names is asked for once: a version chosen later, or kept over a change, does not say it again. */
function resolved(server: ServerMemory, event: Event<'version_resolved'>): ServerMemory {
  const { entry, image, image_digest: imageDigest, version = null, asked = image } = event;
  const known = server.resolved?.asked === asked ? server.resolved?.askedDigest : undefined;
  const askedDigest = event.asked_digest ?? known;
  return {
    ...server,
    resolved: {
      ...{ entry, image, imageDigest, version, asked },
      ...(askedDigest === undefined ? {} : { askedDigest }),
    },
    updateNoted: server.updateNoted === imageDigest ? null : server.updateNoted,
    found: version === null ? server.found : newerThan(version, server.found),
  };
}

/** What is left behind need not be remembered as seen. */
const newerThan = (version: string, found: ServerMemory['found']): ServerMemory['found'] =>
  Object.fromEntries(Object.entries(found).filter(([, one]) => isOlder(version, one.version ?? '')));

/** The intent says it too: which of two joined ones is live must not hang on our living until the outcome. */
function promoted(server: ServerMemory, event: Event<'server_promoting' | 'server_ready'>): ServerMemory {
  const { container_id: container, spec, version = null, time_ms: at } = event;
  return { ...server, promoted: { container, spec, version, at } };
}

/** The present stable version and so many before it keep their images. */
const STABLE_IMAGES = 3;

function proven(
  server: ServerMemory,
  { spec, image_digest: digest }: Event<'update_completed'>,
): ServerMemory {
  const others = server.stableImages.filter((one) => one !== digest);
  const stableImages = digest === undefined ? others : [...others, digest].slice(-STABLE_IMAGES);
  return { ...server, stable: spec, stableImages, rollout: ended(server, spec) };
}

/** Whoever was sent to it may not know yet that it left: its clock tells how long that can be. */
function leftSick(server: ServerMemory, event: Event<'server_leaving'>): ServerMemory {
  const { container_id: id, outcome, time_ms: at } = event;
  if (outcome !== 'sick' || ownValue(server.drains, id) !== undefined) return server;
  return { ...server, drains: { ...server.drains, [id]: at } };
}

/** A fault of its own that left a container is judged by that container's end; all else is put off. */
function gateFailed(before: ServerMemory, event: Event<'update_gate_failed'>): ServerMemory {
  const server = event.class === 'version' ? withGate(before, event) : before;
  if (event.class === 'version' && event.container_id !== undefined) return server;
  const count = (ownValue(server.postponed, event.spec)?.count ?? 0) + 1;
  const pause = Math.min(FIRST_RETRY_MS * 2 ** (count - 1), LONGEST_RETRY_MS);
  const postponed: Postponed = {
    until: event.retry_at ?? event.time_ms + pause,
    count,
    error: event.error,
    code: event.code ?? null,
    gate: event.gate,
    class: event.class,
  };
  return { ...server, postponed: { ...server.postponed, [event.spec]: postponed } };
}

function withGate(server: ServerMemory, { spec, gate }: Event<'update_gate_failed'>): ServerMemory {
  const { rollout } = server;
  const isFirst = rollout?.spec === spec && rollout.gate === undefined;
  return isFirst ? { ...server, rollout: { ...rollout, gate } } : server;
}

function quarantined(server: ServerMemory, event: Event<'version_quarantined'>): ServerMemory {
  const { spec, image_digest: imageDigest, version = null, gate, evidence, time_ms: at } = event;
  const others = server.quarantined.filter((one) => one.spec !== spec);
  const one = { spec, imageDigest, version, gate, reason: evidence?.reason ?? gate, at };
  return { ...server, quarantined: [...others, one] };
}

function wayBackEnded(server: ServerMemory): ServerMemory {
  return { ...server, rollback: server.rollback && { ...server.rollback, open: false } };
}

const ended = ({ rollout }: ServerMemory, spec: string): ServerMemory['rollout'] =>
  rollout?.spec === spec ? null : rollout;
