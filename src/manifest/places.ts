import { ownValue } from '../lib/own-value.ts';
import { plain } from '../lib/plain.ts';
import type { Problem } from '../model/problem.ts';
import type { Finding } from './finding.ts';

/** 1-based. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Path (`servers[2].docker.port`) -> where its key and its value stand, and how a scalar was written. */
export type Places = ReadonlyMap<string, Written>;

export interface Written {
  readonly key: Place | null;
  readonly value: Place;
  /** null: not a scalar. */
  readonly source: string | null;
  /** From where to where the scalar stands in the text, quotes included; null: not a scalar. */
  readonly span: readonly [from: number, to: number] | null;
}

/** Nobody reads more, whatever somebody wrote. */
const MOST_LETTERS = 1_000;

const short = (text: string): string =>
  plain(text.length <= MOST_LETTERS ? text : `${text.slice(0, MOST_LETTERS)}…`);

/** An error of the whole text, or of one place in it where no path leads. */
export function problemAt(file: string, place: Place | null, message: string, advice: string): Problem {
  const { line, column } = place ?? { line: 0, column: 0 };
  return { severity: 'error', file, line, column, path: '', message: short(message), advice: short(advice) };
}

/** Gives a finding its line: of what it names, else of the nearest thing around it that is written. */
export function located(finding: Finding, file: string, places: Places): Problem {
  const found = places.get(finding.path);
  const place = (finding.at === 'key' ? found?.key : found?.value) ?? nearest(finding.path, places);
  const { severity, path, message, advice } = finding;
  const said = { path: short(path), message: short(message), advice: short(advice) };
  return { severity, file, line: place.line, column: place.column, ...said };
}

/** `servers[0]` and `docker` -> `servers[0].docker`; names that are no plain words are quoted. */
export function under(path: string, key: string): string {
  if (!/^[A-Za-z_][\w-]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}

/** `/servers/0/docker` -> `servers[0].docker`, told apart by what stands there. */
export function pathOf(pointer: string, document: unknown): string {
  const walk = { path: '', value: document };
  for (const token of pointer.split('/').slice(1))
    step(walk, token.replaceAll('~1', '/').replaceAll('~0', '~'));
  return walk.path;
}

/** `file:line:column`, as editors jump to it; the file alone where the line is not known. */
export const placeOf = ({ file, line, column }: Problem): string =>
  line === 0 ? file : `${file}:${line}:${column}`;

/** Problems in the order a person meets them. */
export function inOrder(problems: readonly Problem[]): readonly Problem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column || compare(a.path, b.path));
}

function step(walk: { path: string; value: unknown }, token: string): void {
  const inList = Array.isArray(walk.value);
  walk.path = inList ? `${walk.path}[${token}]` : under(walk.path, token);
  walk.value =
    isRecord(walk.value) || inList ? ownValue(walk.value as Record<string, unknown>, token) : undefined;
}

function nearest(path: string, places: Places): Place {
  for (let around = path; around !== ''; around = parentOf(around)) {
    const found = places.get(around);
    if (found !== undefined) return found.value;
  }
  return places.get('')?.value ?? { line: 0, column: 0 };
}

const parentOf = (path: string): string => path.replace(/(\.?[^.[\]]+|\[[^[\]]*\]|.)$/, '');

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
