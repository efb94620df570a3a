export { openStatusServer, type StatusServerOptions } from './server.ts';
export { Metrics } from './metrics.ts';
export { statusReference } from './reference.ts';
