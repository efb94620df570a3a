// A process beside the one that opened the engine. When that one ends, in whatever way, our standard input ends with it,
// and this process cleans up: no signal handler of a dying process has to be trusted with it.
import { cleanUp } from './cleanup.ts';
import { readRecord, recordPath } from './record.ts';

const directory = process.argv[2];
if (directory === undefined) throw new Error('usage: keeper.ts <folder of the engine>');
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => undefined);
process.stdin.on('error', () => undefined).resume();
await new Promise((resolve) => process.stdin.once('close', resolve));
await cleanUp(await readRecord(recordPath(directory)));
