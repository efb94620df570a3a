import { holdsTemplate, isSecretValue, namesSecret, variableFor } from './secrecy.ts';
import type { Variable } from './variables.ts';

/** A flag, a value, or a flag with its value. */
export interface Argument {
  readonly flag: string | null;
  readonly value: string | undefined;
  /** `--flag=value`, in one word. */
  readonly joined: boolean;
  readonly isSecret: boolean;
}

/** What a manifest can say of arguments: it is in git, so that a secret among them becomes a variable's name. */
export interface Arguments {
  readonly command: readonly string[];
  readonly variables: readonly Variable[];
  readonly notes: readonly string[];
}

/** A flag takes along the word behind it, which may be its value. */
export function argumentsIn(words: readonly string[]): readonly Argument[] {
  const found: Argument[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const next = words[at + 1];
    const [, name, value] = /^(-{0,2}[A-Za-z][\w.-]*)=(.*)$/s.exec(word) ?? [];
    if (name !== undefined) found.push({ flag: name, value, joined: true, isSecret: false });
    else if (!isFlag(word)) found.push({ flag: null, value: word, joined: false, isSecret: false });
    else if (next === undefined || next.startsWith('-')) found.push(alone(word));
    else found.push({ ...alone(word), value: words[(at += 1)] });
  }
  return found;
}

/** Keeps what may be in git, and says what became of the rest. */
export function openArguments(given: readonly Argument[]): Arguments {
  const judged = given.map((argument, position) => ({ argument, ...judge(argument, position) }));
  return {
    command: judged.filter(({ note }) => note === null).flatMap(({ argument }) => wordsOf(argument)),
    variables: judged.flatMap(({ variable }) => variable ?? []),
    notes: judged.flatMap(({ note }) => note ?? []),
  };
}

const isFlag = (word: string): boolean => /^--?[A-Za-z]/.test(word);

const alone = (flag: string): Argument => ({ flag, value: undefined, joined: false, isSecret: false });

function judge(argument: Argument, position: number): { note: string | null; variable?: Variable } {
  const { flag, value = '', isSecret } = argument;
  const called = flag ?? `number ${position + 1}`;
  if (isSecret || namesSecret(flag ?? '') || isSecretValue(value)) {
    const name = flag === null ? `ARGUMENT_${position + 1}` : variableFor(flag);
    const note = `the argument ${called} is left out, for it holds a secret: it is the variable ${name} now; see that the server reads it`;
    return { note, variable: { name, value: argument.value, isSecret: true, isRequired: true } };
  }
  if (!holdsTemplate(value)) return { note: null };
  return {
    note: `the argument ${called} is left out: another program's settings fill it in; write it under docker.command`,
  };
}

function wordsOf({ flag, value, joined }: Argument): readonly string[] {
  if (flag === null) return value === undefined ? [] : [value];
  if (value === undefined) return [flag];
  return joined ? [`${flag}=${value}`] : [flag, value];
}
