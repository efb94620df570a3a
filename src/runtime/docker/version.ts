import { Failure } from '../../model/failure.ts';
import { loose, text } from './answers.ts';

/** Newest API that we were written for, and the oldest that has all we need (Docker 19.03). */
const NEWEST = 47;
const OLDEST = 40;

/** What `GET /version` says, as far as we use it. */
export interface EngineVersion {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly Os: string;
  readonly Arch: string;
}

/** What is spoken with the engine that gave this answer. Rejects with `engine_too_old` when there is no such version. */
export function agree(answer: unknown): EngineVersion {
  const said = loose(answer);
  const [oldest, newest] = [minor(said['MinAPIVersion']) ?? 0, minor(said['ApiVersion'])];
  if (newest === null) throw noEngine();
  if (newest < OLDEST) throw engineTooOld(newest);
  if (oldest > NEWEST) throw weAreTooOld(oldest);
  return {
    Version: text(said['Version']),
    ApiVersion: `1.${Math.min(newest, NEWEST)}`,
    ...{ Os: text(said['Os']), Arch: text(said['Arch']) },
  };
}

/** `1.41` -> 41; null when it is no such thing. */
function minor(version: unknown): number | null {
  const found = typeof version === 'string' ? /^1\.(\d+)$/.exec(version) : null;
  return found === null ? null : Number(found[1]);
}

const noEngine = (): Failure =>
  new Failure('engine_refused', 'what answers is not a Docker Engine', {
    suggestedAction: 'look at --docker',
  });

const engineTooOld = (newest: number): Failure =>
  new Failure('engine_too_old', `the engine speaks API 1.${newest}; 1.${OLDEST} is the oldest that will do`, {
    suggestedAction: 'update the Docker Engine to 19.03 or newer',
  });

const weAreTooOld = (oldest: number): Failure =>
  new Failure(
    'engine_too_old',
    `the engine speaks API 1.${oldest} or newer; 1.${NEWEST} is the newest known here`,
    {
      suggestedAction: 'update mcp-orchestration',
    },
  );
