import type { EventType } from './event.ts';

/** Where an event is written, how loud, and what it tells an operator. `docs/events.md` is generated from here. */
export interface CatalogueEntry {
  /** `events` is the history; `health` the single checks. */
  readonly log: 'events' | 'health';
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** What it tells an operator. */
  readonly says: string;
}

const info = (says: string): CatalogueEntry => ({ log: 'events', level: 'info', says });
const warn = (says: string): CatalogueEntry => ({ log: 'events', level: 'warn', says });
const error = (says: string): CatalogueEntry => ({ log: 'events', level: 'error', says });
const debug = (says: string): CatalogueEntry => ({ log: 'events', level: 'debug', says });

export const catalogue: { readonly [T in EventType]: CatalogueEntry } = {
  orchestrator_started: info('the orchestrator began to watch'),
  orchestrator_watching: debug(
    'it still watches; written every quarter of an hour, so that a quiet log is no gap in the report',
  ),
  orchestrator_stopped: info('the orchestrator ended; servers keep running'),
  manifest_synced: info(
    'a revision of the manifest was accepted and is in force; written at every start as well',
  ),
  registry_read_failed: error(
    'a revision of the manifest could not be accepted; the last good one stays in force',
  ),
  revision_settled: info('all that a revision asks for was done, or could not be done'),
  request_accepted: info('a person asked for something with a command, and it was obeyed'),
  removal_held: warn('removals are held back until they are released'),
  server_refused: error('an entry is not acted on; what runs of it stays as it is'),
  server_held: warn('something that is not ours stands in the way and is left alone'),
  foreign_container_found: warn(
    'a container bears our labels and is not one that we made, as a docker commit of one: it is left alone',
  ),
  drift_detected: warn('a container is no longer what we made; it will be put right'),
  drift_repeats: error(
    'something else changes the containers of a server again and again: they are left as they are until retry',
  ),
  version_resolved: info('a tag was resolved to a digest'),
  update_available: info(
    'a newer version exists and is not taken: auto_update is off, or it is younger than min_age_seconds',
  ),
  update_withdrawn: info(
    'what was available no longer is: its tag went or moved, or the entry leads elsewhere',
  ),
  version_written_back: info('a commit in the manifest repository says the newer version (--write-back)'),
  update_started: info('a rollout began'),
  image_pulling: debug('an image that is not on this machine is about to be brought here'),
  image_pulled: info('an image is on this machine now'),
  image_removed: info('an image that no version needs was deleted'),
  update_gate_failed: warn('a rollout did not pass a gate; class world is tried again at retry_at'),
  update_completed: info('the version lasted its soak and is stable (first deploys too)'),
  update_failed: error('a rollout ended without its version'),
  rollback_started: warn('going back to the stable version'),
  rollback_completed: info('the stable version answers again'),
  rollback_failed: error('could not go back'),
  version_quarantined: error('this version is not tried again until its entry changes in git, or retry'),
  server_starting: info('an instance is about to be created and started'),
  server_started: info('an instance was created and started; it does not answer for the server yet'),
  server_promoting: info('an instance is about to be made the one that answers'),
  server_ready: info('the instance is live: it is the one that answers'),
  drain_started: info('nothing new should be sent to the instance; what it has in hand may end'),
  server_leaving: debug('an instance is about to leave the live network'),
  drain_completed: info('the instance left the live network'),
  server_stopping: info('an instance is about to be stopped'),
  server_stopped: info('an instance was stopped by us or by a person'),
  instance_removing: debug('an instance is about to be removed'),
  instance_removed: info('an instance was removed'),
  server_resting: info('the server is stopped and may stay so: by its entry or by its restart policy'),
  server_removed: info('nothing of the server is left'),
  server_down: error('the server does not answer or has exited'),
  server_degraded: warn('the server has trouble but may be used'),
  server_healthy: info('the server answers well'),
  server_unseen: warn(
    'for a minute we could not ask it: that says nothing of the server, and is not watched time',
  ),
  server_seen: info('it can be asked again'),
  health_check_completed: { log: 'health', level: 'debug', says: 'one check of one instance' },
  recovery_started: warn('an attempt to bring the server back is about to be made'),
  recovery_successful: info('the server is back'),
  recovery_failed: warn('an attempt did not bring the server back'),
  recovery_exhausted: error('all attempts failed; a person is needed, slow retries go on'),
  internal_error: error(
    'a mistake in mcp-orchestration itself, kept at the one server or line that it is about; the others go on',
  ),
  view_suspected: error(
    'so many servers fell silent at once that our own view is doubted; nothing is restarted',
  ),
  view_cleared: info('our view is trusted again'),
  memory_checkpoint: debug('what is remembered, so that older files are never needed'),
};

/** One trouble from its beginning to its end: these carry its `incident_id`. */
export const ofIncident: ReadonlySet<EventType> = new Set([
  'server_down',
  'server_degraded',
  'server_healthy',
  'recovery_started',
  'recovery_successful',
  'recovery_failed',
  'recovery_exhausted',
]);
