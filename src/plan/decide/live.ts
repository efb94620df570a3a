import { ownValue } from '../../lib/own-value.ts';
import { imageRefOf } from '../../model/spec.ts';
import { soakEndsAt, wasAskedSince } from '../soak.ts';
import { about, promote, record, remove, resting, start } from './about.ts';
import { judge } from './judge.ts';
import { ladder } from './ladder.ts';
import { hasRoomToRun } from './room.ts';
import { act, wait, type Rows, type Verdict } from './verdict.ts';
import { drainBegan, isStable, spareOf, type Case, type Seen } from './words.ts';

/** 2.3 The candidate is live. */
export function* live(c: Case, cand: Seen): Rows {
  if (!cand.running) return yield* fallen(c, cand, (c, seen) => judge(c, seen, 'soak'));
  if (drainBegan(c, cand) !== null) yield act(promote(c, cand), 'its drain is called off'); // 3.1
  if (cand.sick) return yield* judge(c, cand, 'soak'); // 3.2
  if (!cand.well) return yield wait('it is not known to be well', deadlineOf(c, cand)); // 3.9
  yield* good(c, cand);
}

/** When a start that never became healthy is judged; null: news alone can change anything. */
const deadlineOf = ({ view }: Case, { deadlineAt }: Seen): number | null =>
  deadlineAt > view.now ? deadlineAt : null;

/** Rows 3.3-3.8: it is live and well. */
function* good(c: Case, cand: Seen): Rows {
  const { memory } = c.view;
  if (isBack(c)) yield recovered(c, cand); // 3.3
  if (memory.promoted?.container !== cand.instance.id) {
    yield act(promote(c, cand), 'it answers: that is written down'); // 3.4
  }
  if (memory.rollback?.open === true) yield rolledBack(c, cand);
  const proven = isStable(c, cand.spec);
  if (!proven) yield* soak(c, cand); // 3.5, 3.6
  const spare = proven ? null : spareOf(c);
  for (const seen of c.seen) {
    if (seen === cand || seen === spare || seen.running || seen.joined) continue;
    yield act(remove(c, seen), 'another answers in its place'); // 3.7
  }
  const grace = proven && c.seen.length === 1 ? yield* oldImages(c) : null; // 3.8
  yield wait(asDesired(c), grace);
}

/** Rows 3.10-3.16: what answered has come to its end. `otherwise` decides where its own fault would be judged. */
export function* fallen(c: Case, seen: Seen, otherwise: (c: Case, seen: Seen) => Rows): Rows {
  const { entry, memory, now } = c.view;
  const putOff = ownValue(memory.postponed, seen.spec);
  if (putOff !== undefined && putOff.until > now) return yield wait(`put off: ${putOff.error}`, putOff.until); // 3.10
  if (!hasRoomToRun(c, seen)) return yield wait('two copies run already: it has to wait for room'); // 3.11
  const { by, code } = seen.ending ?? { by: 'us', code: null };
  const policy = entry?.restartPolicy ?? 'always';
  if (by === 'us' && hasFailedAttempt(c, seen))
    yield* ladder(c, seen); // 3.12
  else if (by === 'us')
    yield act(start(c, seen), 'it is wanted'); // 3.12
  else if (by === 'engine')
    yield act(start(c, seen), 'the engine went down, not it'); // 3.12
  else if (by === 'person' && policy === 'unless-stopped') {
    yield* resting(c, 'stopped_by_hand');
    yield wait('a person stopped it'); // 3.13
  } else if (by === 'person' || by === 'away')
    yield* ladder(c, seen); // 3.14
  else if (code === 0 && policy === 'on-failure' && isStable(c, seen.spec)) {
    yield* resting(c, 'exited_0');
    yield wait('it ended by itself'); // 3.15
  } else yield* otherwise(c, seen); // 3.16
}

/** We stopped it in order to start it again, and that failed: what comes next is the next attempt, and counts as one. */
export function hasFailedAttempt({ view: { memory } }: Case, { spec }: Seen): boolean {
  const { attempts, judged, lastAt, recoveredAt } = memory.recovery;
  const isOpen = lastAt !== null && (recoveredAt ?? 0) < lastAt;
  return isOpen && (judged >= attempts || ownValue(memory.postponed, spec) !== undefined);
}

/** An attempt was made and nobody has written down yet that it is well. */
export function isBack({ view }: Case): boolean {
  const { exhausted, lastAt, recoveredAt } = view.memory.recovery;
  return exhausted || (lastAt !== null && (recoveredAt ?? 0) < lastAt);
}

export function recovered(c: Case, { instance }: Seen) {
  const { recovery, incident } = c.view.memory;
  const downAt = incident?.downAt ?? recovery.lastAt ?? c.view.now;
  const fields = {
    ...about(instance),
    attempts: recovery.attempts,
    recovery_successful: true as const,
    seconds_down: wholeSeconds(c.view.now - downAt),
  };
  return act(record(c, 'recovery_successful', fields), 'its health came back');
}

function rolledBack(c: Case, { instance, spec }: Seen) {
  const seconds = wholeSeconds(c.view.now - (c.view.memory.rollback?.at ?? c.view.now));
  const version = instance.spec?.settings.version ?? null;
  return act(record(c, 'rollback_completed', { version, spec, seconds }), 'the version before answers again');
}

function* soak(c: Case, cand: Seen): Rows {
  const { memory, now } = c.view;
  const began = memory.rollout?.spec === cand.spec ? memory.rollout.at : cand.instance.createdAt;
  const until = soakEndsAt(memory, cand.instance, c.settings.update) ?? now;
  if (now < until) return yield wait('soaking: it has to stay well for a while', until); // 3.6
  if (!wasAskedSince(cand.pulse, until, now)) return yield wait('its soak is over: it is asked once more');
  const fields = {
    ...about(cand.instance),
    seconds: wholeSeconds(now - began),
    image_digest: cand.instance.spec?.imageDigest ?? '',
  };
  yield act(record(c, 'update_completed', fields), 'it lasted its soak: it is stable'); // 3.5
}

/** An image that nobody needs stays as long as a person may want to look at it. Milliseconds. */
const IMAGE_GRACE_MS = 3_600_000;

/** Only images that we brought. Returns when the next one may go (Unix ms), or null. */
function* oldImages(c: Case): Generator<Verdict, number | null, undefined> {
  const { brought, images, imagesInUse, wanted, name, now } = c.view;
  const own = wanted === null ? null : imageRefOf(wanted);
  const unneeded = Object.keys(brought).filter(
    (ref) => images.has(ref) && !imagesInUse.has(ref) && ref !== own,
  );
  const mayGoAt = (ref: string): number => (ownValue(brought, ref) ?? 0) + IMAGE_GRACE_MS;
  const image = unneeded.find((ref) => mayGoAt(ref) <= now);
  if (image !== undefined)
    yield act({ kind: 'remove_image', server: name, image }, 'no version needs this image');
  return unneeded.length === 0 ? null : Math.min(...unneeded.map(mayGoAt));
}

function asDesired({ view: { memory, check } }: Case): string {
  // Nothing is said of what was not looked at to its end.
  if (check?.failure != null) return `newer versions could not be looked for: ${check.failure.message}`;
  if (memory.updateNoted === null) return 'as desired';
  const available = ownValue(memory.found, memory.updateNoted)?.version ?? memory.updateNoted;
  return `as desired; ${available} is available`;
}

const wholeSeconds = (ms: number): number => Math.max(0, Math.round(ms / 1_000));
