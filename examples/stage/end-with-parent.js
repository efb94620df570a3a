// Loaded into a process before its own program: when the one that started it ends, in whatever way, standard input ends
// with it, and this process is asked to stop as a service manager would ask. JavaScript, because the threads that the
// program starts load it too, before they know TypeScript.
import { isMainThread } from 'node:worker_threads';

const longestGoodbyeMs = 15_000;

if (isMainThread) {
  process.stdin.on('error', () => undefined).resume();
  process.stdin.once('close', () => {
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.exit(1), longestGoodbyeMs).unref();
  });
  process.stdin.unref?.();
}
