// A new thread of Node 20 knows no TypeScript; the build has no need of this file and leaves it out.
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
