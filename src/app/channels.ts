import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { checkFor } from '../manifest/check.ts';
import { inOrder, located } from '../manifest/places.ts';
import { withExtensions } from '../manifest/schema/manifest.ts';
import { formatProblems } from '../manifest/validate.ts';
import { parseYaml } from '../manifest/yaml.ts';
import type { Problem } from '../model/problem.ts';
import { channelsSchema, openNotifier, type ChannelsFile } from '../notify/index.ts';
import type { Notifier } from '../notify/notify.ts';
import type { ReadDesired } from '../reconcile/intake.ts';
import { EXIT, StartError } from './config.ts';
import { readText } from './policy.ts';

const check = checkFor(() => withExtensions(channelsSchema) as object);

/** The file of `--channels`; null without one. Rejects with a `StartError` that names every problem. */
export async function openChannels(file: string | null): Promise<ChannelsFile | null> {
  if (file === null) return null;
  const read = readChannels(await readText(file, '--channels'), file);
  if (read.ok) return read.value;
  throw new StartError(EXIT.badOptions, `the channels file cannot be used:\n${formatProblems(read.error)}`);
}

/** Who can be told. Every problem at once, each with its line. */
export function readChannels(text: string, file: string): Result<ChannelsFile, readonly Problem[]> {
  const parsed = parseYaml(text, file);
  if (!parsed.ok) return parsed;
  const { value, places } = parsed.value;
  const findings = check(value ?? {}, (path) => places.get(path)?.source ?? null);
  if (findings.length > 0) return err(inOrder(findings.map((finding) => located(finding, file, places))));
  return ok(value as ChannelsFile);
}

/** Whoever names a channel that nobody described is told so at once, not at the first trouble. */
export function warningOfChannels(read: ReadDesired, file: ChannelsFile | null, log: Log): ReadDesired {
  return async (text, chooseTrace) => {
    const desired = await read(text, chooseTrace);
    for (const server of desired.ok ? desired.value.servers : []) {
      const { name, notificationChannel: channel } = server;
      if (channel === null || Object.hasOwn(file?.channels ?? {}, channel)) continue;
      const says = 'its notification_channel is not in the file of --channels: the default ones are told';
      log.warn({ server_name: name, channel }, says);
    }
    return desired;
  };
}

interface TellingDeps {
  readonly file: ChannelsFile | null;
  /** The state folder: what has not arrived yet lies in its `outbox`. */
  readonly state: string;
  /** The channel that a server's entry names, or null. */
  readonly channelOf: (server: string) => string | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** Tells people; without a channels file nobody is told. */
export function openTelling({ file, state, ...rest }: TellingDeps): Promise<Notifier> {
  if (file === null)
    return Promise.resolve({
      tell: () => undefined,
      recall: () => undefined,
      close: () => Promise.resolve(),
    });
  return openNotifier({
    ...rest,
    file,
    folder: join(state, 'outbox'),
    random: Math.random,
    newId: () => randomBytes(8).toString('hex'),
  });
}
