import { ownValue } from '../../lib/own-value.ts';
import type { Portrait } from '../describe.ts';
import { exitReason } from '../decide/about.ts';
import { refusalOf } from '../decide/facts.ts';
import { staysBecause } from '../decide/judge.ts';
import { isQuarantined } from '../decide/target.ts';
import { isWorn } from '../decide/ladder.ts';
import { isMistake, mendingOf } from '../mending.ts';
import type { Case, Seen } from '../decide/words.ts';

/** Why a server is not as desired: a stable word, and what helps where whoever said it knows. */
export interface Trouble {
  readonly reason: string;
  readonly action?: string | null;
}

/** The first that fits, the most telling first; null: there is none. */
export function troubleOf({ c, decision }: Portrait): Trouble | null {
  const { view } = c;
  const said = refusalOf(view) ?? view.blocked;
  if (said !== null) return { reason: said.reason, action: said.suggestedAction };
  if (decision.held !== null) return { reason: heldReason(c, decision.held) };
  const reason = versionTrouble(c) ?? liveTrouble(c);
  return reason === null ? null : { reason, action: wayOut(c, reason) };
}

/** Where it is known what is wrong inside the image, that comes first; null: nothing more is known. */
function wayOut({ live, view: { name, wanted, memory } }: Case, reason: string): string | null {
  const isSetAside = reason === 'version_quarantined' || reason === 'quarantined_no_fallback';
  const quarantine = isSetAside ? memory.quarantined.find(({ spec }) => spec === wanted?.digest) : undefined;
  const fault = reason === 'requires_manual' ? live?.pulse?.reason : quarantine?.reason;
  const mending = mendingOf(fault ?? '');
  return mending === null ? null : `${mending}; then ${adviceFor(reason, name) ?? ''}`;
}

/** It ended and its restart policy leaves it so: `stopped_by_hand`, `exited_0`; null otherwise. */
export function restReason({ live, view }: Case): string | null {
  const ending = live?.ending ?? null;
  const policy = view.entry?.restartPolicy ?? 'always';
  if (ending?.by === 'person' && policy === 'unless-stopped') return 'stopped_by_hand';
  const restsAtZero = ending?.by === 'itself' && ending.code === 0 && policy === 'on-failure';
  return restsAtZero && live?.spec === view.memory.stable ? 'exited_0' : null;
}

/** What a person can do about a reason; null where waiting is all. */
export function adviceFor(reason: string, server: string): string | null {
  return ownValue(advice, reason)?.(server) ?? mendingOf(reason);
}

const advice: Readonly<Record<string, (server: string) => string>> = {
  version_quarantined: (server) => `commit a version that works, or run: mcp-orchestration retry ${server}`,
  quarantined_no_fallback: (server) =>
    `commit a version that works, or run: mcp-orchestration retry ${server}`,
  requires_manual: (server) => `look at its logs, then run: mcp-orchestration retry ${server}`,
  version_mismatch: () =>
    'make the image report the version its tag promises, or correct version in the manifest',
  rollback_off: () => 'commit a version that works, or set rollback_on_failure: true',
  no_rollback_target: () => 'commit a version that works; publish the image of the one before again',
  recovery_disabled: (server) => `start it by hand, or set recovery.enabled for ${server}`,
  image_not_found: () => 'check the image name and tag in the manifest, and that it was pushed',
  image_platform: () => "publish a version that is built for the engine's platform too, and commit it",
  image_unsupported: () => 'publish an image under this tag, and commit a version that is one',
  registry_denied: () => 'log in to the registry on this machine: docker login',
  network_missing: () => 'create the network, or take it out of docker.networks',
  network_ambiguous: () => 'remove all but one of the networks of that name: docker network rm <id>',
  port_taken: () => 'free the port or choose another host_port',
  foreign_container: () => 'stop or rename that container, or choose another host_port or name',
  drift_repeats: (server) =>
    `find what changes its containers, stop it, then run: mcp-orchestration retry ${server}`,
  disk_full: () => 'free space on the disk of the engine',
  paused: (server) => `run: mcp-orchestration resume ${server}`,
  removal_held: () => 'release it with the commit trailer Allow-Removal: <names> or all',
  source_changed: () => 'release it with the commit trailer Allow-Removal: <names> or all',
  prune_disabled: (server) => `remove the containers of ${server} by hand when they are no longer needed`,
  stopped_by_hand: () => 'start the container again by hand, or change its entry',
};

function heldReason({ targets }: Case, held: string): string {
  return held === 'foreign_container' && targets[0]?.blocked?.why.startsWith('port ') ? 'port_taken' : held;
}

function versionTrouble({ view, target, targets }: Case): string | null {
  const { wanted, memory } = view;
  if (wanted === null) return null;
  const { digest } = wanted;
  if (isQuarantined(view, digest)) return target === null ? 'quarantined_no_fallback' : 'version_quarantined';
  if (targets[0]?.postponedUntil != null) return ownValue(memory.postponed, digest)?.code ?? 'put_off';
  const waits = !view.depsReady && targets[0]?.blocked != null && !targets[0].imageMissing;
  return waits ? 'waiting_for_dependency' : null;
}

function liveTrouble(c: Case): string | null {
  const { live, view, cand, settings } = c;
  if (view.entry?.desiredState !== 'running') return null;
  const rests = restReason(c);
  if (rests !== null) return rests;
  if (cand?.pulse?.versionOk === false && !cand.joined) return 'version_mismatch';
  const stays = leftAsItIs(c);
  if (live !== null && !live.sick) return stays ?? pulseTrouble(live);
  if (isWorn(c, live)) return 'requires_manual';
  if (live === null) return cand === null ? null : pulseTrouble(cand);
  if (stays !== null) return stays;
  if (!settings.recovery.enabled) return 'recovery_disabled';
  return live.running ? (live.pulse?.reason ?? null) : exitReason(live.instance);
}

/** What is told of one that is not down: its trouble, or what it will never start well with. */
function pulseTrouble({ pulse }: Seen): string | null {
  if (pulse === null) return null;
  return pulse.state === 'degraded' || (pulse.state === 'unknown' && isMistake(pulse.reason))
    ? pulse.reason
    : null;
}

/** It failed a gate, is not well since, and nothing is gone back to. */
function leftAsItIs(c: Case): string | null {
  const { live, view } = c;
  if (live === null || live.well || view.memory.rollout?.gate === undefined) return null;
  return staysBecause(c, live.spec);
}
