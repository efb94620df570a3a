import type { Journal } from '../journal/journal.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Event } from '../model/event.ts';
import type { Instance, Sighting } from '../model/observed.ts';
import type { Notifier } from '../notify/notify.ts';
import type { Probe, ProbeTarget } from '../probe/probe.ts';
import type { Registry } from '../registry/registry.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { ManifestSource } from '../source/source.ts';
import type { StateFolder } from '../state/state.ts';
import type { SelfChecks } from '../status/status.ts';
import type { Published } from './controller.ts';
import type { Intake, ReadDesired } from './intake.ts';
import type { WritingBack } from './write-back.ts';

/** Everything that touches the world, by contract. */
export interface Rooms {
  readonly source: ManifestSource;
  readonly readDesired: ReadDesired;
  readonly runtime: Runtime;
  readonly registry: Registry;
  readonly probe: Probe;
  readonly journal: Journal;
  readonly state: StateFolder;
  readonly secrets: Secrets;
  readonly notifier: Notifier;
  readonly clock: Clock;
  readonly log: Log;
}

export interface OrchestratorOptions {
  readonly owner: string;
  readonly bootId: string;
  readonly programVersion: string;
  /** Between two looks at the source, +-10 %. */
  readonly intervalMs: number;
  /** Between two looks for newer versions of one image; at most so long. */
  readonly updateIntervalMs: number;
  readonly environmentTrace: string | null;
  readonly allowRewind: boolean;
  readonly removalByTrailer: boolean;
  readonly allowRemovalOf: number | null;
  readonly recordChecks: boolean;
  /** null: git is only read. */
  readonly writingBack: WritingBack | null;
  /** 0..1. */
  readonly random: () => number;
  readonly newId: () => string;
  readonly targetOf: (instance: Instance) => ProbeTarget;
  readonly urlOf: (instance: Instance) => string | null;
  /** Called once the engine is known; rejects when another orchestrator has this engine and owner. */
  readonly claimEngine: (engine: Sighting['engine'], signal: AbortSignal) => Promise<void>;
  readonly publish: (published: Published, source: Intake['status']) => void;
  readonly noteEvent: (event: Event) => void;
  /** The latest events of earlier runs, oldest first, before anything new. */
  readonly recallEvent: (event: Event) => void;
  readonly self: (checks: SelfChecks) => void;
  readonly passed: (result: 'ok' | 'failed', seconds: number) => void;
}
