import type { Command } from './command.ts';
import { completionOf } from './completion.ts';
import { doctor } from './doctor.ts';
import { events } from './events.ts';
import { exportCommand } from './export.ts';
import { importCommand } from './import.ts';
import { init } from './init.ts';
import { plan } from './plan.ts';
import { report } from './report.ts';
import { pause, resume, retry, sync } from './request.ts';
import { run } from './run.ts';
import { status } from './status.ts';
import { validate } from './validate.ts';
import { wait } from './wait.ts';

const own: readonly Command[] = [
  run,
  validate,
  plan,
  wait,
  status,
  events,
  report,
  doctor,
  pause,
  resume,
  retry,
  sync,
  init,
  importCommand,
  exportCommand,
];

/** Every command, in the order of `--help`. */
export const commands: readonly Command[] = [...own, completionOf(own)];
