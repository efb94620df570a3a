import { EXIT } from '../app/config.ts';
import type { Finding } from '../app/doctor.ts';
import { explain } from './begin.ts';
import { defineCommand } from './command.ts';
import { flag } from './options.ts';
import { engineOptions, policyOptions, runOptions, sourceOptions, stateOption } from './shared.ts';
import { painted, styleOf, type Style } from './table.ts';
import { plain } from '../lib/plain.ts';

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Look at all that run needs, and say what to do; changes nothing',
  about:
    'Engine, git remote, each registry of the manifest as we reach it (scheme, proxy, certificates, where ' +
    'credentials would go), state folder and free space, ports, clock: each is ok, or says what to do. ' +
    'Every check has its own deadline, and none stops another. Nothing is written, and no credentials are shown to ' +
    'a registry. Run it as the user and with the environment of the orchestrator.',
  exits: { 0: 'all is well', 1: 'something is wrong' },
  examples: [
    'mcp-orchestration doctor --manifest .',
    'mcp-orchestration doctor --manifest https://github.com/acme/ecosystem-manifest --json',
  ],
  arguments: {},
  options: {
    ...sourceOptions,
    ...stateOption,
    listen: runOptions.listen,
    runtime: engineOptions.runtime,
    docker: engineOptions.docker,
    owner: engineOptions.owner,
    publishAddress: engineOptions.publishAddress,
    ...policyOptions,
    json: flag('print the findings as JSON'),
  },
  async run({ json, ...config }, io): Promise<number> {
    try {
      // Loaded by who needs it: most of the program is behind it.
      const { examine } = await import('../app/doctor.ts');
      const findings = await examine(config, io);
      const ok = findings.every((finding) => finding.ok);
      const style = styleOf(io.stdout, io.env);
      const told = json
        ? `${JSON.stringify({ ok, findings }, null, 2)}\n`
        : findings.map((finding) => lineOf(finding, style)).join('');
      io.stdout.write(told);
      return ok ? EXIT.ok : EXIT.notAsDesired;
    } catch (error) {
      return explain(error, config.state, io);
    }
  },
});

/** Never cut: what to do stands at its end. */
function lineOf({ check, ok, says, todo }: Finding, style: Style): string {
  const mark = painted(ok ? { text: 'ok   ', tone: 'good' } : { text: 'wrong', tone: 'bad' }, style);
  const line = `${mark}  ${check.padEnd(8)}  ${plain(says)}\n`;
  return todo === null ? line : `${line}       do: ${plain(todo)}\n`;
}
