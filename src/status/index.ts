export { openStatusServer, type StatusServerOptions } from './server.ts';
export { statusReference } from './reference.ts';
