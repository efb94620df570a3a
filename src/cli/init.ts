import { lstat, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defineCommand } from './command.ts';
import { required } from './options.ts';

export const init = defineCommand({
  name: 'init',
  summary: 'Make a manifest repository that validates, to begin with',
  about:
    'Writes a manifest that validates and a README into a folder, such as a fresh clone. Files ' +
    'that are there stay as they are; where a manifest is there, nothing is written.',
  exits: { 0: 'written', 1: 'there is a manifest already, or the folder cannot be written to' },
  examples: ['mcp-orchestration init manifest', 'mcp-orchestration init .'],
  arguments: { dir: required('dir', 'folder to make it in; what is there already is never changed') },
  options: {},
  async run({ dir }, io) {
    const manifest = join(dir, MANIFEST);
    try {
      const missing = await missingIn(dir);
      if (!missing.includes(MANIFEST)) {
        io.stderr.write(`init: ${manifest} is there already, and nothing was changed\n`);
        return 1;
      }
      await mkdir(dir, { recursive: true });
      for (const name of missing) await writeFile(join(dir, name), files[name], { flag: 'wx' });
      io.stdout.write(`${kept(dir, missing)}${await nextSteps(dir)}`);
      return 0;
    } catch (error) {
      io.stderr.write(`init: ${(error as Error).message}; give a folder that can be written to\n`);
      return 1;
    }
  },
});

type Name = keyof typeof files;

/** Looked at before anything is written: nothing is begun that cannot be finished. */
async function missingIn(dir: string): Promise<readonly Name[]> {
  const names = Object.keys(files) as Name[];
  const there = await Promise.all(names.map((name) => exists(join(dir, name))));
  return names.filter((_name, position) => there[position] === false);
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

const kept = (dir: string, missing: readonly Name[]): string =>
  (Object.keys(files) as Name[])
    .filter((name) => !missing.includes(name))
    .map((name) => `${join(dir, name)} was there already, and is as it was.\n`)
    .join('');

async function nextSteps(dir: string): Promise<string> {
  const begin = (await exists(join(dir, '.git'))) ? '' : `git -C ${dir} init && `;
  return `${dir} is begun. Next:
  mcp-orchestration validate ${join(dir, MANIFEST)}
  ${begin}git -C ${dir} add . && git -C ${dir} commit -m 'Begin'
  mcp-orchestration plan --manifest ${dir}
`;
}

const MANIFEST = 'ecosystem-manifest.yaml';

const files = {
  [MANIFEST]: `# What should run. A merge here is all that a deployment needs; docs/manifest.md tells every key.
version: "1.1"
defaults:
  health_check: { endpoint: /health }
servers:
  - name: mcp-server-github
    description: GitHub tools
    version: "1.0.0"
    # stopped until its image is published: change this to running
    desired_state: stopped
    docker:
      image: liminalcommons/mcp-server-github
      port: 8080
    config:
      env: { LOG_LEVEL: info }
      # values come from files of the operator, never from git
      secrets: [{ name: GITHUB_TOKEN, required: false }]
`,
  'README.md': `# Manifest repository

\`ecosystem-manifest.yaml\` says which MCP servers run. Change it in a pull request; check it before with

    mcp-orchestration validate ecosystem-manifest.yaml
`,
};
