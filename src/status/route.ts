import type { StatusView } from '../model/status.ts';
import type { Answer } from './answer.ts';
import type { Shown } from './board.ts';
import type { Schema } from './schemas.ts';

/** One route of the table in routes.ts. */
export type Route = About & (OwnRoute | ServersRoute);

interface About {
  readonly path: string;
  readonly operation: string;
  readonly summary: string;
  readonly query: Readonly<Record<string, Parameter>>;
  /** Of a 200; JSON where it is not said. */
  readonly media?: string;
  /** With an example each, where it depends on what is asked for. */
  readonly otherMedia?: Readonly<Record<string, string>>;
  /** Goes on until one of us leaves. */
  readonly streams?: true;
  /** What `{id}` stands for, where it is not a server. */
  readonly idSays?: string;
  /** There is an answer for every `{id}`, known or not. */
  readonly takesAnyId?: true;
  /** Name of the answer's schema. */
  readonly schema: string;
  readonly example: unknown;
}

/** About ourselves: answers before the first look too. */
interface OwnRoute {
  readonly needs: 'nothing' | 'token';
  readonly respond: (shown: Shown, ask: Ask) => Answer | Promise<Answer>;
}

interface ServersRoute {
  readonly needs: 'token and look';
  /**
   * Value of the counter when this answer last changed, or null when the server is unknown. Where it is told, the
   * answer has an ETag and takes `?index=N&wait=30s`.
   */
  readonly changedAt: ((looked: Looked, id: string) => number | null) | null;
  readonly respond: (looked: Looked, ask: Ask) => Answer;
}

interface Parameter {
  readonly says: string;
  readonly schema: Schema;
  /** What a text means, or null when it means nothing. */
  read(text: string): number | null;
}

export interface Ask {
  readonly id: string;
  readonly query: Readonly<Record<string, number | undefined>>;
}

export type Looked = Shown & { readonly view: StatusView };

export const hasLooked = (shown: Shown): shown is Looked => shown.view !== null;

const MAX_WAIT_SECONDS = 60;

export const limit: Parameter = {
  says: 'How many at most.',
  schema: { type: 'integer', minimum: 1, maximum: 500, default: 50 },
  read: (text) => (/^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= 500 ? Number(text) : null),
};

export const following: Readonly<Record<string, Parameter>> = {
  index: {
    says: 'Answer when the index has passed this one, or at the end of `wait`.',
    schema: { type: 'integer', minimum: 0 },
    read: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : null),
  },
  wait: {
    says: `How long to wait for it, such as \`30s\` (which it is by itself) or \`1m\`; at most ${MAX_WAIT_SECONDS} s.`,
    schema: { type: 'string', pattern: '^[0-9]{1,6}[sm]?$', default: '30s' },
    read: readWait,
  },
};

export const since: Parameter = {
  says: 'The index of the last change that is known; a snapshot comes where it cannot be gone on from there.',
  schema: { type: 'integer', minimum: 0 },
  read: (given) => (/^\d{1,15}$/.test(given) ? Number(given) : null),
};

export const plain = { query: {}, needs: 'token and look', changedAt: null } as const;
export const followed = { ...plain, query: following, changedAt: (looked: Looked) => looked.index } as const;

function readWait(text: string): number | null {
  const match = /^(\d{1,6})([sm]?)$/.exec(text);
  if (match === null) return null;
  return Math.min(Number(match[1]) * (match[2] === 'm' ? 60 : 1), MAX_WAIT_SECONDS);
}
