import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defineCommand } from './command.ts';
import { required } from './options.ts';

export const init = defineCommand({
  name: 'init',
  summary: 'Make a manifest repository that validates, to begin with',
  arguments: { dir: required('dir', 'folder to make it in; what is there already is never changed') },
  options: {},
  async run({ dir }, io) {
    try {
      for (const [name, text] of Object.entries(files)) await writeNew(join(dir, name), text);
    } catch (error) {
      io.stderr.write(`init: ${(error as Error).message}; give a folder where nothing of this is yet\n`);
      return 1;
    }
    io.stdout.write(`${dir} is begun. Next:
  mcp-orchestration validate ${join(dir, 'ecosystem-manifest.yaml')}
  git -C ${dir} init && git -C ${dir} add . && git -C ${dir} commit -m 'Begin'
  mcp-orchestration plan --manifest ${dir}
`);
    return 0;
  },
});

async function writeNew(path: string, text: string): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text, { flag: 'wx' });
}

const files = {
  'ecosystem-manifest.yaml': `# What should run. A merge here is all that a deployment needs; docs/manifest.md tells every key.
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
