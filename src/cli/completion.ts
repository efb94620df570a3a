import { defineCommand, flagName, type Command } from './command.ts';
import { choice } from './options.ts';

/** Made from the table of commands, so that it is never behind. `others`: all commands but this one. */
export function completionOf(others: readonly Command[]): Command {
  return defineCommand({
    name: 'completion',
    summary: 'Print what completes commands and options in a shell: source <(mcp-orchestration completion)',
    about:
      'Prints a script for a shell that completes commands, options and the values of those ' +
      'options that have few.',
    exits: { 0: 'printed' },
    examples: [
      'source <(mcp-orchestration completion)',
      'mcp-orchestration completion --shell fish > ~/.config/fish/completions/mcp-orchestration.fish',
    ],
    arguments: {},
    options: { shell: choice('for which shell', ['bash', 'zsh', 'fish'], 'bash') },
    async run({ shell }, io) {
      const all = [...others, completionOf(others)];
      io.stdout.write(shell === 'fish' ? fish(all) : `${shell === 'zsh' ? ZSH : ''}${bash(all)}`);
      return 0;
    },
  });
}

const ZSH = 'autoload -U +X bashcompinit && bashcompinit\n';

const flagsOf = ({ options }: Command): string => [...Object.keys(options).map(flagName), '--help'].join(' ');

/** `run --runtime` -> the words that may follow; arguments follow the command itself. */
function valuesOf({ name, arguments: positional, options }: Command): readonly (readonly [string, string])[] {
  const named = Object.entries(options).map(
    ([option, { words }]) => [`${name} ${flagName(option)}`, words] as const,
  );
  const placed = Object.values(positional).map(({ words }) => [`${name} ${name}`, words] as const);
  return [...named, ...placed].flatMap(([key, words]) =>
    words === undefined ? [] : [[key, words.join(' ')]],
  );
}

function bash(commands: readonly Command[]): string {
  const cases = commands.map((command) => `    ${command.name}) words="${flagsOf(command)}" ;;`);
  const values = commands.flatMap(valuesOf).map(([key, words]) => `    "${key}") words="${words}" ;;`);
  return `_mcp_orchestration() {
  local words
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  [ "$COMP_CWORD" -lt 2 ] || case "\${COMP_WORDS[1]} \${COMP_WORDS[COMP_CWORD-1]}" in
${values.join('\n')}
  esac
  [ "$COMP_CWORD" -gt 1 ] || words="${commands.map(({ name }) => name).join(' ')} --help --version"
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _mcp_orchestration mcp-orchestration
`;
}

const fish = (commands: readonly Command[]): string =>
  commands
    .flatMap((command) => [
      `complete -c mcp-orchestration -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.summary)}`,
      ...Object.entries(command.options).map(
        ([name, { says, words }]) =>
          `complete -c mcp-orchestration -n '__fish_seen_subcommand_from ${command.name}' -l ${flagName(name).slice(2)} -d ${quoted(says)}${words === undefined ? '' : ` -x -a ${quoted(words.join(' '))}`}`,
      ),
    ])
    .map((line) => `${line}\n`)
    .join('');

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
