import { environmentName, flagName, type Command, type Option } from '../../src/cli/command.ts';

/** `docs/command-line.md`, from the table that the program itself is made of. */
export function commandReference(commands: readonly Command[]): string {
  return [intro(commands), ...commands.map(commandText)].join('\n');
}

const intro = (commands: readonly Command[]): string => `# Command line

Generated from the table in \`src/cli\`: do not edit. \`mcp-orchestration <command>\`; \`--help\` says the same. Options win
over the environment, the environment over the defaults. Every option has a variable of its own: \`--events-file\` is
\`MCP_ORCHESTRATION_EVENTS_FILE\`; what may be given more than once is separated by commas there. What an exit code
means stands in the [troubleshooting guide](troubleshooting-guide.md#exit-codes).

| command | does |
| --- | --- |
${commands.map(({ name, summary }) => `| [\`${name}\`](#${name}) | ${prose(summary)} |`).join('\n')}
`;

function commandText(command: Command): string {
  return [
    `## ${command.name}\n`,
    `${command.summary}. ${prose(command.about)}\n`,
    `\`\`\`text\n${[usage(command), ...command.examples].join('\n')}\n\`\`\`\n`,
    `Exit codes: ${exitsOf(command)}.\n`,
    ...rows('argument', Object.entries(command.arguments), (name) => name),
    ...rows('option', Object.entries(command.options), flagName),
  ].join('\n');
}

const exitsOf = ({ exits }: Command): string =>
  Object.entries({ ...exits, 64: 'a bad option or argument' })
    .map(([code, says]) => `${code} ${says}`)
    .join(' - ');

function usage({ name, arguments: positional, options }: Command): string {
  const words = Object.entries(positional).map(([word, { fallback }]) =>
    fallback.ok ? `[${word}]` : `<${word}>`,
  );
  return [
    'mcp-orchestration',
    name,
    ...words,
    ...(Object.keys(options).length > 0 ? ['[options]'] : []),
  ].join(' ');
}

function rows(
  title: string,
  entries: readonly (readonly [string, Option<unknown>])[],
  shown: (name: string) => string,
): readonly string[] {
  if (entries.length === 0) return [];
  const head = [`| ${title} | default | |`, '| --- | --- | --- |'];
  return [...head, ...entries.map(([name, option]) => row(shown(name), name, option)), ''];
}

function row(shown: string, name: string, option: Option<unknown>): string {
  const value = option.placeholder === null || !shown.startsWith('--') ? '' : ` <${option.placeholder}>`;
  const fallback = option.fallback.ok ? (option.shown === null ? '' : `\`${option.shown}\``) : 'needed';
  const more = option.repeatable ? '; may be given more than once' : '';
  const variable = shown.startsWith('--') ? ` (\`${environmentName(name)}\`)` : '';
  return `| \`${cell(`${shown}${value}`)}\` | ${cell(fallback)} | ${prose(option.says)}${more}${variable} |`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** `<name>` outside code is a tag to a browser, which shows nothing of it. */
const prose = (text: string): string => cell(text).replaceAll('<', '&lt;');
