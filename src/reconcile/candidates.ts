import type { Clock } from '../lib/clock.ts';
import { ownValue } from '../lib/own-value.ts';
import { parseImage, versionOfTag } from '../manifest/image.ts';
import { Failure } from '../model/failure.ts';
import type { Resolved, ServerMemory } from '../model/memory.ts';
import { repositoryOf } from '../model/spec.ts';
import { isBarred, resolvedFor, type Deployable } from '../plan/choice.ts';
import { leftBehind } from '../plan/floor.ts';
import { newerVersions } from '../plan/versions.ts';
import type { Registry } from '../registry/registry.ts';
import type { Runtime } from '../runtime/runtime.ts';

/** An image that a strategy may go to. */
export interface Found extends Pick<Resolved, 'image' | 'imageDigest' | 'version'> {
  /** Unix ms when it was first seen in the registry. */
  readonly firstSeenAt: number;
  /** What a pull would fetch onto an empty disk. */
  readonly sizeBytes: number;
}

/** A tag that would be next and cannot be run. */
export interface PassedOver {
  readonly image: string;
  readonly why: string;
}

/** A tag of which the registry could not say what it stands for. */
export interface Unread {
  readonly image: string;
  readonly failure: Failure;
}

export interface Choice {
  /** Better than what is wanted now, and old enough. */
  readonly ripe: Found | null;
  /** Better still, and younger than `min_age_seconds`; the newest first. */
  readonly young: readonly Found[];
  readonly passedOver: readonly PassedOver[];
  /** Better ones that nothing is known of now: the search is not complete. */
  readonly unread: readonly Unread[];
}

export interface Asking {
  readonly registry: Registry;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly maxAgeMs: number;
  /** Nothing at or below any of these; without them: what would be a step back. */
  readonly above?: readonly string[];
  /** Ends every question. */
  readonly signal?: AbortSignal;
}

/** What runs is kept where the entry names it, or where its strategy went there from what the entry names. */
export function keepsTo(server: Deployable, image: string, { back }: { readonly back: boolean }): boolean {
  if (image === server.blueprint.image) return true;
  const { tag } = parseImage(image);
  if (back || tag === null || repositoryOf(image) !== repositoryOf(server.blueprint.image)) return false;
  return newer(server, [], [tag]).length > 0;
}

/**
 * What a server that follows versions may go to; a tag that cannot be read ends the search for no other. Rejects with
 * the `Failure` of whom it has to ask, where there is no list of tags or no engine.
 */
export async function bestOf(server: Deployable, memory: ServerMemory, asking: Asking): Promise<Choice> {
  const young: Found[] = [];
  const passedOver: PassedOver[] = [];
  const unread: Unread[] = [];
  for (const image of await imagesOf(server, memory, asking)) {
    // Below the best one only those that are ageing already matter: every other would be a question at every check.
    if (young.length > 0 && !isAgeing(memory, image)) continue;
    const found = await lookAt(image, { server, memory, asking });
    if (found === null) continue;
    if ('failure' in found) unread.push(found);
    else if ('why' in found) passedOver.push(found);
    else if (isRipe(found, server, asking)) return { ripe: found, young, passedOver, unread };
    else young.push(found);
  }
  return { ripe: null, young, passedOver, unread };
}

const isRipe = ({ firstSeenAt }: Found, { minAgeSeconds }: Deployable, { clock }: Asking): boolean =>
  clock.now() - firstSeenAt >= minAgeSeconds * 1_000;

function isAgeing({ found }: ServerMemory, image: string): boolean {
  const version = versionOf(image);
  return Object.values(found).some((one) => one.version === version);
}

/** From the best down. */
async function imagesOf(
  server: Deployable,
  memory: ServerMemory,
  asking: Asking,
): Promise<readonly string[]> {
  if (server.strategy === 'latest') return [server.blueprint.image];
  const repository = repositoryOf(server.blueprint.image);
  const tags = await asking.registry.tags(repository, asking, deadline(asking));
  const above = asking.above ?? leftBehind(server, memory);
  return newer(server, above, tags).map((tag) => `${repository}:${tag}`);
}

function newer(server: Deployable, above: readonly string[], tags: readonly string[]): readonly string[] {
  const { strategy, versionRange, exclude, blueprint } = server;
  const current = parseImage(blueprint.image).tag;
  return newerVersions({ strategy, current, above, versionRange, exclude, tags });
}

interface LookingAt {
  readonly server: Deployable;
  readonly memory: ServerMemory;
  readonly asking: Asking;
}

/** null: it is what is wanted now, or was set aside. What the registry lists and does not have is passed over. */
async function lookAt(image: string, looking: LookingAt): Promise<Found | PassedOver | Unread | null> {
  try {
    return await foundAt(image, looking);
  } catch (error) {
    if (!(error instanceof Failure) || looking.asking.signal?.aborted === true) throw error;
    if (error.code === 'image_not_found') return { image, why: error.message };
    if (error.code.startsWith('registry_')) return { image, failure: error };
    throw error;
  }
}

async function foundAt(image: string, looking: LookingAt): Promise<Found | PassedOver | null> {
  const { server, memory, asking } = looking;
  const maxAgeMs = tagAgeMs(image, looking);
  const tagged = await asking.registry.digestOf(image, { maxAgeMs }, deadline(asking));
  if (isOut(tagged, looking)) return null;
  const fit = await fitOf(`${repositoryOf(image)}@${tagged}`, asking);
  if (typeof fit === 'string') return { image, why: fit };
  const { sizeBytes, pullAs: imageDigest = tagged } = fit;
  if (isOut(imageDigest, looking)) return null;
  const version = server.strategy === 'latest' ? null : versionOf(image);
  const firstSeenAt = ownValue(memory.found, imageDigest)?.at ?? asking.clock.now();
  return { image, imageDigest, version, firstSeenAt, sizeBytes };
}

/** It is what is wanted now, or was set aside. */
const isOut = (imageDigest: string, { server, memory }: LookingAt): boolean =>
  imageDigest === resolvedFor(server, memory)?.imageDigest || isBarred(memory, imageDigest);

const VERSION_TAG_MS = 3_600_000;

/** The tag of a version hardly ever moves: as long as it may not be taken, it is asked for now and then. */
function tagAgeMs(image: string, { server, memory: { found }, asking }: LookingAt): number {
  const { strategy, autoUpdate, minAgeSeconds } = server;
  const oldEnough = asking.clock.now() - minAgeSeconds * 1_000;
  const mayBeTaken =
    minAgeSeconds === 0 ||
    Object.values(found).some(({ version, at }) => version === versionOf(image) && at <= oldEnough);
  return strategy === 'latest' || (autoUpdate && mayBeTaken) ? asking.maxAgeMs : VERSION_TAG_MS;
}

interface Fit {
  readonly sizeBytes: number;
  readonly pullAs?: string;
}

/** A sentence where there is nothing for this engine. A digest is asked for once. */
async function fitOf(image: string, asking: Asking): Promise<Fit | string> {
  const platform = await asking.runtime.platform(deadline(asking));
  const known = { maxAgeMs: Infinity };
  const facts = await asking.registry.inspect(image, platform, known, deadline(asking));
  const { sizeBytes, offers, instead, pullAs } = facts;
  if (sizeBytes !== null) return { sizeBytes, ...(pullAs !== undefined && { pullAs }) };
  if (instead !== undefined) return `it is no image but ${instead}`;
  const { os, architecture } = platform;
  return `it is for ${offers.join(', ') || 'nothing that is named'} and the engine is ${os}/${architecture}`;
}

const versionOf = (image: string): string | null => versionOfTag(parseImage(image).tag ?? '');

const ASK_DEADLINE_MS = 30_000;

const deadline = ({ clock, signal }: Asking): AbortSignal => clock.deadline(ASK_DEADLINE_MS, signal);
