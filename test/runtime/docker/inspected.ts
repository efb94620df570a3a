import type Docker from 'dockerode';
import { readContainer } from '../../../src/runtime/docker/answers.ts';
import type { InspectedContainer } from '../../../src/runtime/docker/answers.ts';
import type { Birth } from '../../../src/runtime/runtime.ts';
import { toCreateOptions } from '../../../src/runtime/docker/create-options.ts';
import { imageRefOf } from '../../../src/model/spec.ts';

/** The parts of an inspection that we read; a test changes some. */
export interface Inspection {
  Id: string;
  Name: string;
  Created: string;
  Image: string;
  State: {
    Status: string;
    Running: boolean;
    Paused: boolean;
    OOMKilled: boolean;
    ExitCode: number;
    StartedAt: string;
    FinishedAt: string;
    Health?: { Status: string };
  };
  Config: {
    Image: string;
    Cmd: string[] | null;
    Entrypoint: string[] | null;
    Env: string[];
    User: string;
    Labels: Record<string, string>;
  };
  HostConfig: Docker.HostConfig;
  NetworkSettings: { Networks: Record<string, { Aliases: string[] | null }> };
}

/** What the engine says of a container that was made from a birth and that nobody touched. */
export function inspected(
  birth: Birth,
  change: (inspection: Inspection) => void = () => undefined,
): InspectedContainer {
  const published = { host: '127.0.0.1', port: 49_155 };
  const made = toCreateOptions(birth, { image: imageRefOf(birth.spec), published });
  const inspection: Inspection = {
    Id: 'c0',
    Name: `/${made.name}`,
    Created: '2026-11-20T10:00:00.123456789Z',
    Image: 'sha256:image',
    State: {
      Status: 'running',
      Running: true,
      Paused: false,
      OOMKilled: false,
      ExitCode: 0,
      StartedAt: '2026-11-20T10:00:01Z',
      FinishedAt: '0001-01-01T00:00:00Z',
    },
    Config: {
      Image: made.Image ?? '',
      Cmd: made.Cmd ?? ['node', 'server.js'],
      Entrypoint: null,
      Env: [...(made.Env ?? []), 'PATH=/bin'],
      User: made.User ?? '1000',
      Labels: made.Labels ?? {},
    },
    HostConfig: made.HostConfig ?? {},
    NetworkSettings: { Networks: { 'mcp-network': { Aliases: [made.name ?? '', 'c0'] } } },
  };
  const copy = structuredClone(inspection);
  change(copy);
  const read = readContainer(copy);
  if (read === null) throw new Error('what a test says of a container cannot be read');
  return read;
}
