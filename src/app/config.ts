import type { LogLevel } from '../lib/log.ts';

/** Everything that is chosen at start, read once and passed down. */
export interface Config {
  readonly manifest: string;
  readonly branch: string | null;
  readonly path: string;
  readonly gitTokenFile: string | null;
  readonly sshKey: string | null;
  readonly state: string;
  readonly eventsFile: string | null;
  /** Seconds between two looks at the source. */
  readonly interval: number;
  /** Seconds between two looks for newer versions of one image. */
  readonly updateInterval: number;
  readonly allowRewind: boolean;
  /** How newer versions are written to the manifest's repository. */
  readonly writeBack: 'none' | 'branch' | 'direct';
  readonly owner: string;
  readonly listen: string;
  readonly tokenFile: string | null;
  /** PEM files; both or neither. */
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
  readonly openStatus: boolean;
  readonly allowHost: readonly string[];
  readonly runtime: 'docker' | 'memory';
  readonly docker: string | null;
  readonly reach: 'host' | 'container';
  readonly publishAddress: string;
  readonly advertise: string | null;
  readonly policy: string | null;
  readonly trust: readonly string[];
  readonly secrets: string | null;
  readonly channels: string | null;
  readonly logLevel: LogLevel;
  readonly recordChecks: boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Why the program cannot begin: one sentence that says what to do, and the exit code of contracts section 1. */
export class StartError extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.name = 'StartError';
    this.exitCode = exitCode;
  }
}

export const EXIT = {
  ok: 0,
  notAsDesired: 1,
  refused: 3,
  lockHeld: 4,
  stateUnusable: 5,
  badOptions: 64,
} as const;
