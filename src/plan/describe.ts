import { isoSeconds } from '../lib/time.ts';
import { ownValue } from '../lib/own-value.ts';
import type { DesiredServer } from '../model/desired.ts';
import type { Health } from '../model/observed.ts';
import type { ServerRecord, SourceStatus, StatusView } from '../model/status.ts';
import type { Decision, Plan, Step } from '../model/step.ts';
import type { View, World } from '../model/world.ts';
import { caseOf, type Case, type Seen } from './decide/words.ts';
import { activeOf, endpointsOf, urlsOf } from './describe/endpoints.ts';
import { asMistaken, nobody, recordAside, type Aside } from './describe/aside.ts';
import { phaseOf } from './describe/phase.ts';
import { recoveryOf } from './describe/recovery.ts';
import { adviceFor, troubleOf } from './describe/trouble.ts';
import { updateOf } from './describe/update.ts';
import { viewsOf } from './view.ts';

/** What a status says beside the world and its plan. */
export interface Surroundings {
  readonly source: SourceStatus;
  /** The step each server has in hand. */
  readonly inHand: Readonly<Record<string, Step>>;
  /** The host outsiders use in endpoint addresses; null: the one it is published on. */
  readonly advertise: string | null;
  /** Pulls under way, by server: bytes so far and in all. */
  readonly progress: Readonly<Record<string, { readonly done: number; readonly total: number }>>;
}

/** One server with all that its record is made of. */
export interface Portrait {
  readonly c: Case;
  readonly decision: Decision;
  readonly inHand: Step | null;
  readonly world: World;
  readonly around: Surroundings;
}

/** What outsiders read of a world. `index` is 0: the status room counts changes. */
export function toStatus(world: World, plan: Plan, around: Surroundings, aside: Aside = nobody): StatusView {
  const decisions = new Map(plan.decisions.map((decision) => [decision.server, decision]));
  const there = viewsOf(world).filter(({ entry, instances }) => entry !== null || instances.length > 0);
  const described = there.map((view): ServerRecord => {
    const decision = decisions.get(view.name) ?? undecided(view);
    const inHand = ownValue(around.inHand, view.name) ?? null;
    const record = recordOf({ c: caseOf(view), decision, inHand, world, around });
    return aside.servers.includes(view.name) ? asMistaken(record) : record;
  });
  const missing = aside.servers.filter((name) => !there.some((view) => view.name === name));
  const servers = [...described, ...missing.map((name) => recordAside(name, world, aside))];
  return { schema_version: '1.0', view: plan.view, source: around.source, servers };
}

/** It came after the plan was made. */
const undecided = ({ name }: View): Decision => ({
  server: name,
  step: null,
  pull: null,
  why: 'not looked at yet',
  wakeAt: null,
  held: null,
});

function recordOf(portrait: Portrait): ServerRecord {
  const { c, decision, around } = portrait;
  const trouble = troubleOf(portrait);
  return {
    ...identityOf(c),
    ...versionsOf(c),
    phase: phaseOf(portrait),
    ...healthOf(c),
    reason: trouble?.reason ?? null,
    suggested_action: trouble === null ? null : (trouble.action ?? adviceFor(trouble.reason, c.view.name)),
    since: isoSeconds(sinceOf(portrait)),
    transport: c.settings.transport,
    ...urlsOf(c, around.advertise),
    endpoints: endpointsOf(c, around.advertise),
    recovery: recoveryOf(portrait),
    update: updateOf(portrait),
    why: whyOf(portrait, decision),
    revision: c.live?.instance.revision ?? portrait.world.desired.revision,
    trace_id: c.live?.instance.traceId ?? c.view.memory.traceId,
    index: 0,
  };
}

function identityOf({ view, settings }: Case) {
  const { entry, name } = view;
  const { description, repository, maintainers, tags, capabilities, qualityTier, tools } =
    entry?.metadata ?? nothingSaid;
  const said = { description, repository, maintainers, tags, capabilities, quality_tier: qualityTier, tools };
  return { id: name, name, namespace: entry?.namespace ?? settings.namespace, ...said };
}

const nothingSaid: DesiredServer['metadata'] = {
  description: null,
  repository: null,
  maintainers: [],
  tags: [],
  capabilities: [],
  qualityTier: null,
  tools: [],
};

function versionsOf({ view, live }: Case) {
  const { wanted, entry } = view;
  const shown = live?.instance.spec ?? wanted;
  return {
    version: live?.instance.spec?.settings.version ?? null,
    desired_version: wanted?.settings.version ?? entry?.version ?? null,
    image: shown?.image ?? entry?.blueprint?.image ?? null,
    image_digest: shown?.imageDigest ?? null,
    desired_state: entry?.desiredState ?? ('absent' as const),
  };
}

const outside = { healthy: 'ok', degraded: 'degraded', unhealthy: 'down' } as const;

/** Three words for those who read no more: what nobody knows is no better than what was known last. */
function statusOf(health: Health, routable: boolean): ServerRecord['status'] {
  if (health !== 'unknown') return outside[health];
  return routable ? 'degraded' : 'down';
}

function healthOf(c: Case) {
  const { live, view } = c;
  const pulse = live?.pulse ?? null;
  const health = healthOfLive(live);
  const routable = isRoutable(c, health);
  const checkedAt = pulse?.lastCheckAt ?? null;
  const upSince = live?.running ? live.instance.startedAt : null;
  return {
    health,
    status: statusOf(health, routable),
    routable,
    last_check: checkedAt === null ? null : isoSeconds(checkedAt),
    response_time_ms: pulse?.responseTimeMs ?? null,
    consecutive_failures: pulse?.failures ?? 0,
    uptime_seconds: upSince === null ? null : Math.max(0, Math.floor((view.now - upSince) / 1_000)),
    conformant: pulse === null || checkedAt === null ? null : pulse.departures.length === 0,
    // Where nothing answers yet, how the first one answers is all there is to tell.
    departures: (pulse ?? (live === null ? c.cand?.pulse : null))?.departures ?? [],
  };
}

function healthOfLive(live: Seen | null): Health {
  if (live === null) return 'unknown';
  return live.running ? (live.pulse?.state ?? 'unknown') : 'unhealthy';
}

/** Somebody takes new sessions and is not unhealthy; while it is not known, what was known last stands. */
function isRoutable(c: Case, health: Health): boolean {
  const active = activeOf(c);
  if (active === null) return false;
  if (health !== 'unknown') return health !== 'unhealthy';
  const last = ownValue(c.view.memory.health, active.instance.id);
  return last !== undefined && last.was && last.state !== 'unhealthy';
}

/** Unix ms since when its record's phase or health has been what it is, as well as memory knows. */
function sinceOf({ c, world }: Portrait): number {
  const { live, view, cand } = c;
  const known = live === null ? undefined : ownValue(view.memory.health, live.instance.id);
  const began = live?.ending?.at ?? live?.instance.startedAt ?? cand?.instance.createdAt;
  return Math.max(known?.at ?? 0, began ?? 0) || world.memory.acceptedAt;
}

function whyOf({ around, c }: Portrait, decision: Decision): string {
  const pulled = ownValue(around.progress, c.view.name);
  if (decision.pull !== null && pulled !== undefined && pulled.total > 0) {
    return `${decision.why}: ${Math.floor((100 * pulled.done) / pulled.total)} % pulled`;
  }
  return decision.why;
}
