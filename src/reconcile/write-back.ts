import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Result } from '../lib/result.ts';
import type { NewVersion } from '../manifest/raise.ts';
import type { ManifestText } from '../manifest/read.ts';
import type { DesiredServer, DesiredState } from '../model/desired.ts';
import { Failure, inFull } from '../model/failure.ts';
import { pauseOf } from '../plan/guards/policy.ts';
import { memoryOf } from '../plan/view.ts';
import { untoldVersion, type Untold } from '../plan/write-back.ts';
import type { ManifestSource, Proposed } from '../source/source.ts';
import { traceOf } from './perform.ts';
import type { Recorder } from './recorder.ts';

/** How git is told of newer versions. */
export interface WritingBack {
  /** `branch`: a branch of its own, for a person to merge; `direct`: onto the followed branch. */
  readonly mode: 'branch' | 'direct';
  /** The manifest with that version, every other byte as it was; or why it cannot be had. */
  readonly raise: (
    text: ManifestText,
    version: NewVersion,
    signal: AbortSignal,
  ) => Promise<Result<Uint8Array, string>>;
}

export interface WriteBackDeps {
  readonly writingBack: WritingBack | null;
  readonly source: ManifestSource;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly log: Log;
  /** The followed branch has a new commit: look at the source now. */
  readonly moved: () => void;
}

/** The source gives up by itself once nothing comes any more; a push over a slow link takes its time. */
const DEADLINE_MS = 600_000;
const FIRST_RETRY_MS = 30_000;
const LONGEST_RETRY_MS = 3_600_000;
/** Over an hour; then a newer revision has to come. */
const MOST_TRIES = 8;
/** Trouble with the repository is everybody's. */
const EVERYBODY = '';

/** Tells git of newer versions, so that it stays the record. Changes the manifest's repository and nothing else. */
export class WriteBack {
  readonly #deps: WriteBackDeps;
  readonly #troubles = new Map<string, Trouble>();

  constructor(deps: WriteBackDeps) {
    this.#deps = deps;
  }

  /**
   * One look, beside no other use of the source. What fails is logged, and tried again with the next revision or after
   * a while; it disturbs nothing else.
   */
  async look(desired: DesiredState, signal: AbortSignal): Promise<void> {
    const { writingBack } = this.#deps;
    if (writingBack === null) return;
    for (const server of desired.servers) {
      const untold = this.#untoldOf(server, desired);
      if (untold === null || this.#isPutOff(server, untold, desired)) continue;
      const told = await this.#tell({ server, untold, desired, ...writingBack }, signal);
      if (told && writingBack.mode === 'direct') return this.#deps.moved();
      // One that hangs would hang for each server anew, and hold up the next look at the source.
      if (this.#isHeldOff(EVERYBODY, desired)) return;
    }
  }

  #untoldOf(server: DesiredServer, desired: DesiredState): Untold | null {
    const { recorder, clock } = this.#deps;
    const world = { desired, memory: recorder.memory, now: clock.now() };
    if (pauseOf(server.name, world) !== null) return null;
    return untoldVersion(server, memoryOf(world, server.name), world.now);
  }

  #isPutOff({ name }: DesiredServer, { image }: Untold, desired: DesiredState): boolean {
    if (this.#isHeldOff(EVERYBODY, desired)) return true;
    return this.#troubles.get(name)?.image === image && this.#isHeldOff(name, desired);
  }

  /** A newer revision is a new chance: most often somebody was faster, or has put right what was in the way. */
  #isHeldOff(whose: string, { revision }: DesiredState): boolean {
    const trouble = this.#troubles.get(whose);
    if (trouble?.revision !== revision) return false;
    return trouble.count >= MOST_TRIES || trouble.until > this.#deps.clock.now();
  }

  /** True: git was told. */
  async #tell(telling: Telling, signal: AbortSignal): Promise<boolean> {
    try {
      const proposed = await this.#propose(telling, signal);
      if (proposed === null) return false;
      await this.#note(telling, proposed);
      this.#troubles.delete(telling.server.name);
      this.#troubles.delete(EVERYBODY);
      return true;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (!signal.aborted) this.#putOff(telling, error);
      return false;
    }
  }

  /** null: there is a newer revision by now, which is to be accepted first. */
  async #propose(telling: Telling, signal: AbortSignal): Promise<Proposed | null> {
    const { source, clock } = this.#deps;
    const { server, untold, desired, mode, raise } = telling;
    const deadline = clock.deadline(DEADLINE_MS, signal);
    const text = await source.read(null, deadline);
    if (text?.revision !== desired.revision || source.propose === undefined) return null;
    const raised = await raise(text, { server: server.name, tag: untold.tag }, deadline);
    if (!raised.ok) throw notWritable(server, untold, raised.error);
    const branch = mode === 'direct' ? null : `mcp-orchestration/${server.name}-${untold.tag}`;
    const message = messageOf(server.name, untold, traceOf(server.name, this.#deps));
    return source.propose({ base: text.revision, content: raised.value, message, branch }, deadline);
  }

  async #note({ server, untold, mode }: Telling, { branch, revision }: Proposed): Promise<void> {
    const { image, version, why } = untold;
    await this.#deps.recorder.record({
      event: 'version_written_back',
      server: server.name,
      traceId: traceOf(server.name, this.#deps),
      fields: { image, from_version: server.version, mode, branch, version, revision, why },
    });
  }

  #putOff({ server, untold, desired }: Telling, failure: Failure): void {
    const { code } = failure;
    const { clock } = this.#deps;
    // What cannot be written into this manifest is the matter of one entry; all else is the repository's.
    const whose = code === 'source_unusable' ? server.name : EVERYBODY;
    const before = this.#troubles.get(whose);
    const count = (before?.count ?? 0) + 1;
    const until = clock.now() + Math.min(FIRST_RETRY_MS * 2 ** (count - 1), LONGEST_RETRY_MS);
    const { image } = untold;
    this.#troubles.set(whose, { image, revision: desired.revision, count, until, code });
    this.#say({ server, image, failure }, { isNew: before?.code !== code, isLast: count === MOST_TRIES });
  }

  #say(
    {
      server,
      image,
      failure,
    }: Pick<Telling, 'server'> & { readonly image: string; readonly failure: Failure },
    { isNew, isLast }: { readonly isNew: boolean; readonly isLast: boolean },
  ): void {
    if (!isNew && !isLast) return;
    const ending = isLast ? '; it is tried again with the next commit' : '';
    const fields = { server_name: server.name, code: failure.code };
    this.#deps.log.warn(fields, `${image} could not be written to git: ${inFull(failure)}${ending}`);
  }
}

type Telling = WritingBack & {
  readonly server: DesiredServer;
  readonly untold: Untold;
  readonly desired: DesiredState;
};

interface Trouble {
  readonly image: string;
  readonly revision: string;
  readonly count: number;
  readonly until: number;
  readonly code: string;
}

const notWritable = ({ name }: DesiredServer, { tag }: Untold, why: string): Failure =>
  new Failure('source_unusable', why, {
    suggestedAction: `Write ${tag} into the entry of ${name} by hand.`,
  });

/** The trace is the last paragraph, in one line: then git knows it for a trailer. */
const messageOf = (server: string, { tag, why }: Untold, traceId: string): string =>
  [`Raise ${server} to ${tag}`, `Because ${why}.`, `Trace-Id: ${traceId.replace(/[\s\p{Cc}]+/gu, ' ')}`].join(
    '\n\n',
  );
