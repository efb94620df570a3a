import type { EventFields, EventType } from './event.ts';
import type { Instance } from './observed.ts';
import type { Spec } from './spec.ts';

/** The one next deed for a server. Every step may be repeated: doing it twice is doing it once. */
export type Step =
  /** Create a new instance and start it. */
  | { readonly kind: 'create'; readonly server: string; readonly spec: Spec }
  | { readonly kind: 'start'; readonly server: string; readonly instance: Instance }
  /** A counted recovery attempt. */
  | {
      readonly kind: 'restart';
      readonly server: string;
      readonly instance: Instance;
      readonly attempt: number;
      readonly reason: string;
    }
  /** Make it the one that answers (join the live network). */
  | { readonly kind: 'promote'; readonly server: string; readonly instance: Instance }
  /** Leave the live network: nothing new is routed to it. */
  | {
      readonly kind: 'leave';
      readonly server: string;
      readonly instance: Instance;
      readonly outcome: DrainOutcome;
    }
  | { readonly kind: 'stop'; readonly server: string; readonly instance: Instance }
  | { readonly kind: 'remove'; readonly server: string; readonly instance: Instance }
  | { readonly kind: 'remove_image'; readonly server: string; readonly image: string }
  /** Only write something down; the record alone turns the next look. */
  | Recording;

/** An event that is a decision in itself: no deed follows. */
export type Recording = {
  [T in EventType]: {
    readonly kind: 'record';
    readonly server: string;
    readonly event: T;
    readonly fields: EventFields[T];
  };
}[EventType];

export type DrainOutcome = 'ended' | 'forced' | 'sick' | 'called_off';

/** Brings an image here. It touches nothing that runs, so it goes on beside whatever else is done for the server. */
export interface Pull {
  readonly server: string;
  readonly spec: Spec;
}

export interface Decision {
  readonly server: string;
  readonly step: Step | null;
  /** One that is in hand and is asked for no more is given up. */
  readonly pull: Pull | null;
  /** For people: why this step, or why nothing now. */
  readonly why: string;
  /** Unix ms to look again without any news; null: only news can change it. */
  readonly wakeAt: number | null;
  /** A guard or a person holds the step back. */
  readonly held: HoldReason | null;
}

/** Nothing is done for it now. */
export const isIdle = ({ step, pull }: Decision): boolean => step === null && pull === null;

export type HoldReason =
  | 'view_suspect'
  | 'recovery_budget'
  | 'removal_held'
  | 'source_changed'
  | 'paused'
  | 'lock_lost'
  | 'foreign_container'
  | 'prune_disabled'
  | 'drift_repeats';

export interface Plan {
  readonly decisions: readonly Decision[];
  /** To be written down before any step: facts that belong to no one server. */
  readonly notes: readonly Note[];
  /** `suspect` while so many fell silent at once that our own view is doubted. */
  readonly view: 'clear' | 'suspect';
}

/** A record that belongs to no one server. */
export type Note = {
  [T in 'view_suspected' | 'view_cleared' | 'removal_held' | 'foreign_container_found']: {
    readonly event: T;
    readonly fields: EventFields[T];
  };
}['view_suspected' | 'view_cleared' | 'removal_held' | 'foreign_container_found'];
