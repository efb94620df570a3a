import type { Sighting, Instance } from '../model/observed.ts';
import type { Spec } from '../model/spec.ts';

/**
 * Where instances live. Every verb may be repeated: doing it twice is doing it once. Every verb rejects with a
 * `Failure` and nothing else, and settles soon after its signal aborts, whatever the engine does.
 */
export interface Runtime {
  /**
   * One look: a single list call, and inspections only of what may have changed. `images`: `repository[:tag]@digest` of
   * interest; with a tag, an image that nobody published counts if it bears that tag. Never an id alone.
   */
  observe(images: readonly string[], signal: AbortSignal): Promise<Sighting>;
  /** Brings `repository@digest` here; verifies that the digest on disk is the one asked for. */
  pull(spec: Spec, progress: (line: PullProgress) => void, signal: AbortSignal): Promise<void>;
  /**
   * Rejects with what of the engine's surroundings keeps this spec from being made now: a network, a volume, a host path
   * or its fixed port. Changes nothing. `ownVolumes`: what the server had before, by our own history.
   */
  admit(spec: Spec, ownVolumes: readonly string[], signal: AbortSignal): Promise<void>;
  /**
   * Creates and starts; returns the new container's id. A container of ours left half-made under this name by an earlier
   * try is removed first. When the start fails, the Failure's `container` is the id of the container that stays created.
   */
  create(birth: Birth, signal: AbortSignal): Promise<{ readonly id: string }>;
  start(instance: Instance, signal: AbortSignal): Promise<void>;
  restart(instance: Instance, signal: AbortSignal): Promise<void>;
  /** Joins the live network under the server's alias. */
  promote(instance: Instance, signal: AbortSignal): Promise<void>;
  leave(instance: Instance, signal: AbortSignal): Promise<void>;
  stop(instance: Instance, signal: AbortSignal): Promise<void>;
  remove(instance: Instance, signal: AbortSignal): Promise<void>;
  removeImage(image: string, signal: AbortSignal): Promise<void>;
  /** The last lines a container wrote, at most `lines` and 64 KiB, unscrubbed. Empty when they cannot be had. */
  logs(container: string, lines: number, signal: AbortSignal): Promise<readonly string[]>;
  /** What is on disk under this reference, as an image digest; null when it is not there. For images nobody published. */
  localDigest(image: string, signal: AbortSignal): Promise<string | null>;
  /** OS and architecture, for choosing out of a multi-arch index. */
  platform(
    signal: AbortSignal,
  ): Promise<{ readonly os: string; readonly architecture: string; readonly variant?: string }>;
  /** Who the engine is and how it was set up. */
  about(signal: AbortSignal): Promise<EngineAbout>;
  /** Calls `hint` as engine events come; reconnects for ever until `signal` aborts. */
  watch(hint: (hint: RuntimeHint) => void, signal: AbortSignal): Promise<void>;
}

/** All that a new container needs beside its spec. Secret values live only as long as the call. */
export interface Birth {
  readonly spec: Spec;
  readonly instance: string;
  readonly owner: string;
  readonly revision: string;
  readonly traceId: string;
  readonly source: string;
  readonly secrets: Readonly<Record<string, string>>;
  /** Volumes that the server had before, by our own history: they are its own though they may bear no label. */
  readonly ownVolumes?: readonly string[];
}

/** What an engine says of itself; empty where it does not say. */
export interface EngineAbout {
  /** `Docker Engine`, `Podman`, `balena-engine`. */
  readonly family: string;
  readonly version: string;
  /** What is spoken with it, `1.41`. */
  readonly api: string;
  readonly platform: string;
  /** How images are stored: `overlay2`, `io.containerd.snapshotter.v1`. */
  readonly storage: string;
  readonly enforces: { readonly cpus: boolean; readonly memory: boolean; readonly pids: boolean };
  readonly rootless: boolean;
  /** Unix ms; null: it does not say. */
  readonly time: number | null;
  /** Registries that it speaks to without checking who they are: `registry.lan:5000`, `10.0.0.0/8`. */
  readonly insecure: { readonly hosts: readonly string[]; readonly ranges: readonly string[] };
  /** Its own, which need not be ours. */
  readonly proxies: { readonly http: string; readonly https: string; readonly no: string };
  readonly warnings: readonly string[];
}

/** How far a pull has come. */
export interface PullProgress {
  /** Bytes so far and in all, over the layers known by now. */
  readonly done: number;
  readonly total: number;
  readonly status: string;
}

/** News from the engine. A hint: look there. The one fact it may carry is that a person asked for the stop. */
export type RuntimeHint =
  | { readonly kind: 'look'; readonly server: string | null; readonly what: string }
  | { readonly kind: 'kill_requested'; readonly container: string; readonly at: number }
  | { readonly kind: 'connected' }
  | { readonly kind: 'disconnected'; readonly error: string };
