import { Failure } from '../../model/failure.ts';
import type { Unresolved } from './host-view.ts';

const USE_VOLUME = 'use a volume';

export const notAllowed = (path: string): Failure =>
  new Failure('host_path_not_allowed', `the host path ${path} is not allowed`, {
    suggestedAction: `add '${path}' to allow_host_paths in the policy file, or ${USE_VOLUME}`,
  });

export const unseen = (path: string, address: string): Failure =>
  new Failure(
    'host_path_unseen',
    `the host path ${path} cannot be looked at from here: the engine at ${address} has another file system than we`,
    {
      suggestedAction: `${USE_VOLUME}, or run the orchestrator on the engine's host (in a container: with that folder mounted at the same path)`,
    },
  );

export const unresolved = (path: string, why: Unresolved): Failure =>
  why === 'absent'
    ? new Failure('host_path_missing', `the host path ${path} is not there`, {
        suggestedAction: `create it on the engine's host, or ${USE_VOLUME}`,
      })
    : new Failure(
        'host_path_unseen',
        `the host path ${path} cannot be looked at by the orchestrator's user`,
        {
          suggestedAction: `let that user pass through its folders, or ${USE_VOLUME}`,
        },
      );

export const link = (path: string, real: string): Failure =>
  new Failure('host_path_link', `the host path ${path} leads by a link to ${real}`, {
    suggestedAction: 'write the path without links in docker.volumes, where the policy allows it',
  });

export const closed = (path: string, what: string): Failure =>
  new Failure(
    'host_path_closed',
    `the host path ${path} is, holds or lies in ${what}, which no server is given`,
    {
      suggestedAction: `remove it from docker.volumes, or ${USE_VOLUME}`,
    },
  );

export const shared = (path: string, server: string): Failure =>
  new Failure(
    'host_path_shared',
    `the host path ${path} is within reach of ${server}, which runs and has a host path in common with it`,
    {
      suggestedAction: 'give each server a folder of its own that no other can write to',
    },
  );

export const changed = (path: string): Failure =>
  new Failure('host_path_changed', `the host path ${path} is not what it was a moment ago`, {
    suggestedAction: `see who changes it on the engine's host`,
  });

export const silent = (): Failure =>
  new Failure('engine_timeout', "could not look at a host path: the host's file system does not answer", {
    suggestedAction: "see what holds the file system up on the engine's host",
  });
