import { ownValue } from '../lib/own-value.ts';
import type { Answer } from './answer.ts';
import type { Shown } from './board.ts';
import { badQuery, badTarget, notReady, unknownPath } from './refusals.ts';
import { hasLooked, type Ask, type Route } from './route.ts';
import { routes } from './routes.ts';

/** A question that was understood: which route, and what it asks for. */
export interface Question {
  readonly route: Route;
  readonly ask: Ask;
}

/** Understands a GET of `target` (path and query as they came). */
export function understand(target: string): Question | Answer {
  if (!URL.canParse(target, 'http://localhost')) return badTarget(target);
  const url = new URL(target, 'http://localhost');
  const parts = url.pathname.split('/');
  for (const [route, wanted] of patterns) {
    const id = idIn(wanted, parts);
    if (id === null) continue;
    const query = readQuery(route, url.searchParams);
    return typeof query === 'string' ? badQuery(query, takesOf(route, query)) : { route, ask: { id, query } };
  }
  return unknownPath(url.pathname);
}

export const isAnswer = (either: Question | Answer): either is Answer => 'code' in either;

/** The answer to a question at this moment. */
export async function respond({ route, ask }: Question, shown: Shown): Promise<Answer> {
  const { media } = route;
  if (route.needs !== 'token and look') return inMedia(media, await route.respond(shown, ask));
  if (!hasLooked(shown)) return notReady;
  const answer = route.respond(shown, ask);
  const changedAt = route.changedAt?.(shown, ask.id) ?? null;
  if (changedAt === null) return answer;
  return { ...answer, headers: { ...answer.headers, ETag: `W/"${shown.bootId}-${changedAt}"` } };
}

/** The same for questions that have the same answer: what nobody reads, and how long to wait, makes no difference. */
export function keyOf({ route, ask }: Question): string {
  const isFollowed = route.needs === 'token and look' && route.changedAt !== null;
  return JSON.stringify([route.path, ask.id, isFollowed ? {} : ask.query]);
}

/** True while the answer is what it was at the index that the question names. One ahead of ours is not waited for. */
export function isUnchanged({ route, ask }: Question, shown: Shown): boolean {
  const { index } = ask.query;
  if (route.needs !== 'token and look' || index === undefined || !hasLooked(shown)) return false;
  const changedAt = route.changedAt?.(shown, ask.id) ?? null;
  return changedAt !== null && changedAt <= index && index <= shown.index;
}

const inMedia = (media: string | undefined, answer: Answer): Answer =>
  media === undefined || answer.code !== 200
    ? answer
    : { ...answer, headers: { 'Content-Type': media, ...answer.headers } };

const patterns = routes.map((route) => [route, route.path.split('/')] as const);

/** What stands for `{id}`, empty where the path has none; null when it is another path. */
function idIn(wanted: readonly string[], parts: readonly string[]): string | null {
  if (parts.length !== wanted.length) return null;
  if (!wanted.every((part, at) => part === '{id}' || part === parts[at])) return null;
  return decode(parts[wanted.indexOf('{id}')] ?? '');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    // A stray % names no server; as it stands it is said to be unknown.
    if (error instanceof URIError) return text;
    throw error;
  }
}

/** The name of the first parameter that cannot be read, or all of them. Unknown ones are let be. */
function readQuery(route: Route, given: URLSearchParams): Ask['query'] | string {
  const query: [string, number][] = [];
  for (const [name, parameter] of Object.entries(route.query)) {
    const text = given.get(name);
    if (text === null) continue;
    const value = parameter.read(text);
    if (value === null) return name;
    query.push([name, value]);
  }
  return Object.fromEntries(query);
}

const takesOf = (route: Route, name: string): string =>
  `${ownValue(route.query, name)?.says ?? ''} ${JSON.stringify(ownValue(route.query, name)?.schema)}`;
