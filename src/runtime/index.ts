export { dockerRuntime } from './docker/docker.ts';
export type { DockerOptions } from './docker/docker.ts';
export { memoryRuntime } from './memory/memory.ts';
export type { MemoryRuntime } from './memory/memory.ts';
