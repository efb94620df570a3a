import type { Claims } from '../stage/claims.ts';
import type { Screen } from '../stage/screen.ts';
import type { Stage, Watching } from '../stage/stage.ts';

/** What every scene plays on. */
export interface Scenery {
  readonly stage: Stage;
  readonly watching: Watching;
  readonly screen: Screen;
  readonly claims: Claims;
  /** The trace of the change that was merged. */
  readonly traceId: string;
}

/** One thing that is shown. A scene builds on those before it; what it throws is a claim that was not met. */
export interface Scene {
  readonly title: string;
  play(scenery: Scenery): Promise<void>;
}
