import { Command as Commander, CommanderError, Option as CommanderOption } from 'commander';
import {
  EXIT_BAD_OPTIONS,
  EXIT_FAILED,
  environmentName,
  flagName,
  type Command,
  type Io,
  type Option,
  type Output,
} from './command.ts';
import { shielding } from './shield.ts';
import { Scrubber } from '../lib/scrub.ts';
import { plain } from '../lib/plain.ts';
import { maskLogins, secretsIn } from '../source/login.ts';

/** Finds the command that was typed and runs it. Returns the exit code; help and version are 0, a bad line is 64. */
export async function runProgram(
  commands: readonly Command[],
  argv: readonly string[],
  io: Io & { readonly version: string },
): Promise<number> {
  let code = 0;
  const discreetly = discreet(io, argv);
  const program = makeProgram(commands, discreetly, (exit) => (code = exit));
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_BAD_OPTIONS;
    discreetly.stderr.write(`${ownMistake(error)}\n`);
    return EXIT_FAILED;
  }
}

/** Nobody's input prints a stack: one sentence, and the innermost place for those who mend it. */
function ownMistake(error: unknown): string {
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
  const innermost = stack.split('\n    at ')[1]?.slice(-300) ?? '';
  const place = /([\w.-]+:\d+):\d+\)?$/m.exec(innermost)?.[1] ?? 'an unknown place';
  return plain(
    `a mistake in mcp-orchestration itself (${place}): ${message.slice(0, 300)}; please report it, with what you typed and the file that you gave`,
  );
}

/** A login that somebody typed, into whichever option, is on no screen. */
function discreet<T extends Io>(io: T, argv: readonly string[]): T {
  const scrubber = new Scrubber();
  const set = Object.entries(io.env).flatMap(([name, value]) => (isOurs(name) ? [value ?? ''] : []));
  for (const secret of [...argv, ...set].flatMap(secretsIn)) scrubber.add(secret);
  const quiet = (output: Output): Output => ({
    isTTY: output.isTTY,
    // Asked anew: a terminal is made wider and narrower.
    get columns() {
      return output.columns;
    },
    write: (text) => output.write(scrubber.scrub(text)),
  });
  return { ...io, stdout: quiet(shielding(io.stdout)), stderr: quiet(shielding(io.stderr)) };
}

const isOurs = (name: string): boolean => name.startsWith('MCP_ORCHESTRATION_');

function makeProgram(
  commands: readonly Command[],
  io: Io & { readonly version: string },
  ended: (code: number) => void,
): Commander {
  const program = silenced(new Commander('mcp-orchestration'), io)
    .description('Keeps the MCP servers of a manifest repository running on a Docker Engine.')
    .version(io.version)
    .addHelpText('after', FIRST_STEPS);
  for (const command of commands) program.addCommand(silenced(toCommander(command, io, ended), io));
  return program;
}

const FIRST_STEPS = `
First steps:
  mcp-orchestration validate ecosystem-manifest.yaml       is it right?
  mcp-orchestration plan --manifest <url|folder>           what would be done?
  mcp-orchestration run --manifest <url|folder>            do it, and go on watching
  mcp-orchestration status                                 how is everybody?

Every option can be set by the environment as well: --events-file is MCP_ORCHESTRATION_EVENTS_FILE.`;

function toCommander(command: Command, io: Io, ended: (code: number) => void): Commander {
  const made = new Commander(command.name)
    .summary(command.summary)
    .description(`${command.summary}.\n\n${command.about}`)
    .addHelpText('after', manualOf(command));
  for (const [name, argument] of Object.entries(command.arguments))
    made.argument(shownArgument(name, argument), argument.says);
  for (const [name, option] of Object.entries(command.options)) made.addOption(toOption(name, option));
  return made.action(async (...typed: unknown[]) => {
    const words = typed.slice(0, Object.keys(command.arguments).length) as (string | undefined)[];
    ended(await command.run({ arguments: words, options: made.opts() }, io));
  });
}

function manualOf({ exits, examples }: Command): string {
  const codes = Object.entries({ ...exits, [EXIT_BAD_OPTIONS]: 'a bad option or argument' });
  return [
    '\nExit codes:',
    ...codes.map(([code, says]) => `  ${code.padEnd(4)}${says}`),
    '\nExamples:',
    ...examples.map((example) => `  ${example}`),
    '\nThe name in [brackets] is the environment variable that sets an option; what is typed wins.',
  ].join('\n');
}

const shownArgument = (name: string, argument: Option<unknown>): string =>
  argument.fallback.ok ? `[${name}]` : `<${name}>`;

function toOption(name: string, option: Option<unknown>): CommanderOption {
  const value = option.placeholder === null ? '' : ` <${option.placeholder}>`;
  const shown = option.shown === null ? '' : ` (default: ${option.shown})`;
  const made = new CommanderOption(
    `${flagName(name)}${value}`,
    `${option.says}${shown} [${environmentName(name)}]`,
  );
  return option.repeatable ? made.argParser(collect) : made;
}

const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];

function silenced(command: Commander, io: Io): Commander {
  return command
    .exitOverride()
    .showHelpAfterError('(see --help)')
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(maskLogins(text)),
    });
}
