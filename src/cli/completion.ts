import { defineCommand, flagName, type Command } from './command.ts';
import { choice } from './options.ts';

/** Made from the table of commands, so that it is never behind. `others`: all commands but this one. */
export function completionOf(others: readonly Command[]): Command {
  return defineCommand({
    name: 'completion',
    summary: 'Print what completes commands and options in a shell: source <(mcp-orchestration completion)',
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

function bash(commands: readonly Command[]): string {
  const cases = commands.map((command) => `    ${command.name}) words="${flagsOf(command)}" ;;`);
  return `_mcp_orchestration() {
  local words
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
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
        ([name, { says }]) =>
          `complete -c mcp-orchestration -n '__fish_seen_subcommand_from ${command.name}' -l ${flagName(name).slice(2)} -d ${quoted(says)}`,
      ),
    ])
    .map((line) => `${line}\n`)
    .join('');

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
