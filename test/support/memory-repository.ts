import { digest } from '../../src/lib/digest.ts';
import { Failure } from '../../src/model/failure.ts';
import type { ManifestSource, Proposal, Proposed, Snapshot } from '../../src/source/source.ts';

export interface CommitOptions {
  readonly traceId: string | null;
  readonly allowRemoval: readonly string[];
  readonly rewind: boolean;
}

/** A manifest's repository in memory: one followed branch, and those that were proposed. */
export interface MemoryRepository {
  readonly source: ManifestSource;
  readonly commit: (text: string, more: CommitOptions) => void;
  /** Looks at it reject with this until it is null. */
  readonly fail: (failure: Failure | null) => void;
  /** Subjects, the oldest first. */
  readonly commits: () => string[];
  /** Those that were proposed. */
  readonly branches: () => string[];
  readonly textOf: (branch: string) => string;
}

type Stored = Snapshot & CommitOptions;

export function memoryRepository(): MemoryRepository {
  const history: Stored[] = [];
  const branches = new Map<string, Stored>();
  let failure: Failure | null = null;

  const read = async (known: string | null): Promise<Snapshot | null> => {
    if (failure !== null) throw failure;
    const head = history.at(-1);
    if (head === undefined) throw new Failure('source_missing', 'there is no commit yet');
    return head.revision === known ? null : head;
  };

  const between = async (from: string) => {
    const since = history.slice(history.findIndex(({ revision }) => revision === from) + 1);
    return {
      rewind: since.some(({ rewind }) => rewind),
      commits: since.flatMap(({ commit }) => commit ?? []).reverse(),
    };
  };

  const stored = (content: Uint8Array, subject: string, more: CommitOptions): Stored => {
    const revision = digest([history.length, subject, Buffer.from(content).toString()]).slice(7, 47);
    const { traceId, allowRemoval } = more;
    const commit = { revision, subject, traceId, allowRemoval };
    return { revision, content, file: 'ecosystem-manifest.yaml', commit, ...more };
  };

  const propose = async ({ base, content, message, branch }: Proposal): Promise<Proposed> => {
    const there = branch === null ? undefined : branches.get(branch);
    if (there !== undefined) return { branch: branch ?? '', revision: there.revision };
    if (history.at(-1)?.revision !== base) throw new Failure('source_moved', 'somebody was faster');
    const traceId = /^Trace-Id: (.*)$/m.exec(message)?.[1] ?? null;
    const made = stored(content, message.split('\n')[0] ?? '', { traceId, allowRemoval: [], rewind: false });
    if (branch === null) history.push(made);
    else branches.set(branch, made);
    return { branch: branch ?? 'main', revision: made.revision };
  };

  return {
    source: {
      address: 'memory:manifest',
      branch: 'main',
      read,
      watch: async (_hint, signal) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
      between,
      propose,
    },
    commit(text, more) {
      history.push(stored(new TextEncoder().encode(text), `commit ${history.length + 1}`, more));
    },
    fail: (now) => (failure = now),
    commits: () => history.map(({ commit }) => commit?.subject ?? ''),
    branches: () => [...branches.keys()],
    textOf(branch) {
      const found = branch === 'main' ? history.at(-1) : branches.get(branch);
      return Buffer.from(found?.content ?? []).toString();
    },
  };
}
