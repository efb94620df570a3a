/** JSON Schemas (2020-12) of everything the status endpoint answers, by the names they have in `/openapi.json`. */
export interface Schema {
  readonly [keyword: string]: unknown;
}

const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const text = (description?: string): Schema => described({ type: 'string' }, description);
const time = (description?: string): Schema =>
  described({ type: 'string', format: 'date-time' }, description);
const whole = (description?: string): Schema => described({ type: 'integer', minimum: 0 }, description);
const yes = (description?: string): Schema => described({ type: 'boolean' }, description);
const word = (...words: string[]): Schema => ({ type: 'string', enum: words });
const list = (items: Schema, description?: string): Schema =>
  described({ type: 'array', items }, description);
const orNull = (schema: Schema): Schema => ({ ...schema, type: [schema['type'], 'null'] });
const described = (schema: Schema, description?: string): Schema =>
  description === undefined ? schema : { ...schema, description };

/** Every field is always there; later versions may add fields, never take one away. */
const record = (
  properties: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): Schema => ({
  type: 'object',
  required: Object.keys(properties),
  properties: { ...properties, ...optional },
});

const health = word('unknown', 'healthy', 'degraded', 'unhealthy');
const words = { status: ['ok', 'degraded', 'down'] };
const status = described(
  word(...words.status),
  'Of an unknown health: `degraded` while routable, else `down`.',
);
const selfCheck = word(...words.status);
const schemaVersion: Schema = { type: 'string', const: '1.0' };
const index = whole('Counts changes; starts at the Unix time in ms at boot and never goes back.');
const texts = list(text());

const Recovery = record({
  attempts: whole(),
  max_attempts: whole(),
  next_attempt_at: orNull(time()),
  requires_manual: yes('All attempts failed: a person is needed; slow retries go on.'),
});

const Endpoint = record(
  {
    instance: text('Short name of one running copy.'),
    role: word('active', 'draining', 'candidate'),
    transport: text(),
    url: orNull(text('Published on the host.')),
    mcp_url: orNull(text()),
    health_url: orNull(text()),
    container_url: orNull(text('From any container on mcp-network.')),
    container_mcp_url: orNull(text()),
  },
  { drain_deadline: time('Only while draining: the instance is stopped by then.') },
);

const Quarantine = record({
  version: orNull(text()),
  image_digest: text(),
  gate: text('The gate that it did not pass.'),
  reason: text(),
  at: time(),
});

const Update = record({
  strategy: text(),
  available: orNull(text('A newer version that is not taken because auto_update is off.')),
  state: text(
    'none, pulling, starting, soaking, draining, rolling_back, postponed, or check_failed: newer versions are not known.',
  ),
  reason: orNull(text('Of check_failed: a failure code.')),
  at: orNull(time('Of check_failed: since when no search has come to its end.')),
  passed_over: list(
    record({ image: text(), reason: text() }),
    'Versions that would be next and cannot be run here: no images, or for other platforms.',
  ),
  quarantined: list(ref('Quarantine'), 'Versions that are not tried again until their entry changes in git.'),
});

/** What a server's health is told by, in `/servers/{id}/health` and in its full record alike. */
const healthFields = {
  id: text(),
  name: text(),
  namespace: text(),
  version: orNull(text()),
  health,
  status,
  routable: yes('Requests may be sent: there is an active endpoint and health is not unhealthy.'),
  reason: orNull(text()),
  suggested_action: orNull(text()),
  since: time('Since when it is as it is.'),
  last_check: orNull(time()),
  response_time_ms: orNull({ type: 'number', minimum: 0 }),
  consecutive_failures: whole(),
  uptime_seconds: orNull(whole()),
  conformant: orNull(yes('Its answers follow the health specification.')),
  departures: list(text(), 'How they do not.'),
  health_url: orNull(text()),
  recovery: ref('Recovery'),
  trace_id: orNull(text()),
  index,
};

const ServerRecord = record({
  ...healthFields,
  description: orNull(text()),
  repository: orNull(text()),
  maintainers: texts,
  tags: texts,
  capabilities: texts,
  quality_tier: orNull(text()),
  desired_version: orNull(text()),
  image: orNull(text()),
  image_digest: orNull(text()),
  desired_state: word('running', 'stopped', 'absent'),
  phase: word(
    'pending',
    'pulling',
    'starting',
    'ready',
    'draining',
    'stopping',
    'stopped',
    'failed',
    'held',
    'refused',
    'undeployable',
  ),
  transport: text(),
  url: orNull(text('Of the active endpoint; null where there is none, as for mcp_url and health_url.')),
  mcp_url: orNull(text()),
  endpoints: list(ref('Endpoint')),
  update: ref('Update'),
  why: text('What is decided now, in words.'),
  tools: list(record({ name: text(), description: orNull(text()) })),
  revision: orNull(text('The git commit that put it there.')),
});

const Source = record({
  url: text(),
  branch: orNull(text()),
  attempted_revision: orNull(text('The newest commit that was looked at.')),
  applied_revision: orNull(text('The newest commit that was accepted and is in force.')),
  state: word('pending', 'synced', 'refused', 'unreachable', 'rewind'),
  last_successful_sync_at: orNull(time()),
  error: orNull(text()),
});

/** `/health/status`, and the first message of the stream. */
const ecosystemFields = {
  schema_version: schemaVersion,
  index,
  generated_at: time(),
  valid_for_seconds: whole('Mark this answer as stale when it is older and no newer one can be had.'),
  source: ref('Source'),
  view: word('clear', 'suspect'),
  status: word('ok', 'degraded'),
  summary: record({
    total: whole('Stopped ones are not counted.'),
    healthy: whole(),
    degraded: whole(),
    unhealthy: whole(),
    unknown: whole(),
  }),
  servers: list(ref('ServerRecord')),
};

export const schemas: Readonly<Record<string, Schema>> = {
  Own: record({
    status: selfCheck,
    version: text(),
    uptime_seconds: whole(),
    timestamp: time(),
    checks: record({ manifest: selfCheck, engine: selfCheck, journal: selfCheck }),
  }),
  Servers: record({ schema_version: schemaVersion, index, servers: list(ref('ServerRecord')) }),
  ServerRecord,
  ServerHealth: record(healthFields),
  Events: record({ events: list(ref('Event'), 'Newest first.') }),
  HealthEvents: record({ events: list(ref('Event'), 'Newest first.') }),
  Revisions: record({ schema_version: schemaVersion, index, events: list(ref('Event'), 'Newest first.') }),
  Event: {
    ...record(
      {
        event_type: text(),
        trace_id: text(),
        timestamp: time(),
        repo: text(),
        seq: whole(),
        time_ms: whole(),
      },
      { server_name: text() },
    ),
    description: 'A line of the event log; its further fields are those of its event_type.',
    additionalProperties: true,
  },
  Ecosystem: record(ecosystemFields),
  Histories: record({ servers: list(ref('History')) }),
  History: record({
    name: text(),
    availability: orNull({
      type: 'number',
      minimum: 0,
      maximum: 1,
      description: 'Share of the time, where health is known, in which it was healthy or degraded.',
    }),
    spans: list(record({ from: time(), to: time(), health }), 'Oldest first, without gaps.'),
  }),
  Change: {
    ...record({
      index,
      event_type: text('The event behind it, `status_changed` where none is known.'),
      server: orNull(text('null: the source, our view or a revision changed.')),
      status: { type: ['string', 'null'], enum: [...words.status, null] },
      timestamp: time(),
      trace_id: orNull(text()),
      record: { anyOf: [ref('ServerRecord'), { type: 'null' }] },
    }),
    description: 'One message of the stream; the first one is a Snapshot.',
  },
  Snapshot: record({ event_type: { type: 'string', const: 'snapshot' }, ...ecosystemFields }),
  Heartbeat: record({ event_type: { type: 'string', const: 'heartbeat' }, index, timestamp: time() }),
  Text: { type: 'string' },
  Source,
  Endpoint,
  Recovery,
  Update,
  Quarantine,
  Error: record({ error_code: text(), message: text(), suggested_action: text() }),
  OpenApi: {
    ...record({ openapi: text(), info: { type: 'object' }, paths: { type: 'object' } }),
    additionalProperties: true,
  },
};

export const schemaRef = ref;
