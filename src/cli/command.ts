import type { Clock } from '../lib/clock.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { ownValue } from '../lib/own-value.ts';
import { Failure } from '../model/failure.ts';

/** One command of the program. `--help`, the reference in docs/ and shell completion are made from this table alone. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** A paragraph for `--help`. */
  readonly about: string;
  /** Exit code -> what it says; 64, a bad line, every command has. */
  readonly exits: Readonly<Record<number, string>>;
  readonly examples: readonly [string, string];
  /** By position, in order; only the last ones may be left out. */
  readonly arguments: Readonly<Record<string, Option<unknown>>>;
  /** By name in camelCase: `eventsFile` is `--events-file` and `MCP_ORCHESTRATION_EVENTS_FILE`. */
  readonly options: Readonly<Record<string, Option<unknown>>>;
  /** Returns the exit code: those of contracts section 1, and 64 (with one sentence on stderr) for bad options. */
  run(typed: Typed, io: Io): Promise<number>;
}

/** One option or positional argument, and how its text becomes a value. */
export interface Option<T> {
  /** `url` for `--url <url>`; null for a flag, which takes no value. */
  readonly placeholder: string | null;
  readonly says: string;
  /** All that it may be, where that is few: for completion. */
  readonly words?: readonly string[];
  /** May be given more than once. */
  readonly repeatable: boolean;
  /** The default as `--help` shows it; null where there is nothing to show. */
  readonly shown: string | null;
  /** The value when nobody gives one; an error where somebody must. */
  readonly fallback: Result<T, string>;
  /** `texts` has at least one member. An error goes on from the option's name: `must be ...`. */
  read(texts: readonly string[]): Result<T, string>;
}

/** What was typed, before environment and defaults: by the same camelCase names. */
export interface Typed {
  readonly arguments: readonly (string | undefined)[];
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
}

/** What a command may touch of the process. `main` passes the real one. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Aborts when a person or the system wants us to end. */
  readonly signal: AbortSignal;
  /** SIGHUP: look at the source now. */
  readonly onHangup?: (listener: () => void) => void;
}

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export const EXIT_FAILED = 1;
export const EXIT_BAD_OPTIONS = 64;

type Values<Options> = { [Name in keyof Options]: Options[Name] extends Option<infer T> ? T : never };

/** Makes a command whose `run` sees values of the right types. Options win over environment, environment over defaults. */
export function defineCommand<
  Arguments extends Readonly<Record<string, Option<unknown>>>,
  Options extends Readonly<Record<string, Option<unknown>>>,
>(definition: {
  readonly name: string;
  readonly summary: string;
  readonly about: string;
  readonly exits: Readonly<Record<number, string>>;
  readonly examples: readonly [string, string];
  readonly arguments: Arguments;
  readonly options: Options;
  run(values: Values<Arguments> & Values<Options>, io: Io): Promise<number>;
}): Command {
  return {
    ...definition,
    async run(typed, io) {
      const values = settle(definition, typed, io.env);
      if (values.ok) return attempt(definition, values.value as Values<Arguments> & Values<Options>, io);
      io.stderr.write(`${values.error}\n`);
      return EXIT_BAD_OPTIONS;
    },
  };
}

/** When the world fails a command it is one sentence and 1; our own mistakes go on to `main`. */
async function attempt<V>(
  command: { readonly name: string; run(values: V, io: Io): Promise<number> },
  values: V,
  io: Io,
): Promise<number> {
  try {
    return await command.run(values, io);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    io.stderr.write(
      `${command.name}: ${[error.message, error.suggestedAction].filter(Boolean).join('; ')}\n`,
    );
    return EXIT_FAILED;
  }
}

/** `eventsFile` -> `--events-file`. */
export const flagName = (name: string): string => `--${kebab(name)}`;

/** `eventsFile` -> `MCP_ORCHESTRATION_EVENTS_FILE`. */
export const environmentName = (name: string): string =>
  `MCP_ORCHESTRATION_${kebab(name).replaceAll('-', '_').toUpperCase()}`;

/** Options over environment over defaults; the first thing wrong, as one sentence. */
function settle(
  command: Pick<Command, 'name' | 'arguments' | 'options'>,
  typed: Typed,
  env: Io['env'],
): Result<Record<string, unknown>, string> {
  const values: [string, unknown][] = [];
  for (const given of [...givenArguments(command, typed), ...givenOptions(command, typed, env)]) {
    const { option, texts } = given;
    const value = texts.length === 0 ? option.fallback : option.read(texts);
    if (!value.ok) return err(`${command.name}: ${given.called} ${value.error}`);
    values.push([given.name, value.value]);
  }
  return ok(Object.fromEntries(values));
}

interface Given {
  readonly name: string;
  /** As the person knows it, for the sentence. */
  readonly called: string;
  readonly option: Option<unknown>;
  readonly texts: readonly string[];
}

function givenArguments(command: Pick<Command, 'arguments'>, typed: Typed): Given[] {
  return Object.entries(command.arguments).map(([name, option], position) => {
    const text = typed.arguments[position];
    return { name, option, called: `<${name}>`, texts: text === undefined ? [] : [text] };
  });
}

function givenOptions(command: Pick<Command, 'options'>, typed: Typed, env: Io['env']): Given[] {
  return Object.entries(command.options).map(([name, option]) => {
    const own = ownValue(typed.options, name);
    if (own !== undefined) return { name, option, called: flagName(name), texts: textsOf(own) };
    const variable = environmentName(name);
    // An empty variable is how compose files and unit files say "not set".
    const fromEnv = ownValue(env, variable) ?? '';
    if (fromEnv === '') return { name, option, called: flagName(name), texts: [] };
    return { name, option, called: variable, texts: split(option, fromEnv) };
  });
}

const textsOf = (own: string | boolean | readonly string[]): readonly string[] =>
  typeof own === 'object' ? own : [String(own)];

const split = (option: Option<unknown>, text: string): readonly string[] =>
  option.repeatable ? text.split(',').map((part) => part.trim()) : [text];

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
