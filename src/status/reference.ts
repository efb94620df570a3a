import type { Route } from './route.ts';
import { routes } from './routes.ts';
import { schemas, type Schema } from './schemas.ts';

/** `docs/status-api.md`, from the same table as the routes themselves. */
export function statusReference(): string {
  return [intro, ...routes.map(routeText), '## Shapes\n', ...Object.entries(schemas).flatMap(shapeText)].join(
    '\n',
  );
}

const intro = `# Status endpoint

Generated from \`src/status/routes.ts\`; do not edit. GET and HEAD only, JSON, times in ISO 8601 UTC. Nothing can be
changed here: git says what should run. \`/openapi.json\` describes the same for programs.

- Routes with an \`index\` carry \`ETag: W/"<boot_id>-<index>"\`: send it back as \`If-None-Match\` and get 304 while
  nothing has changed. With \`?index=N&wait=30s\` the answer comes when the index has passed N, or after the wait.
- \`last_check\`, \`response_time_ms\`, \`uptime_seconds\` and \`generated_at\` never move the index and are at most 1 s old.
- Refusals are \`{error_code, message, suggested_action}\`: 400 for a query that cannot be read, 401 without the token,
  403 for a Host or Origin that is not allowed, 404, 405, and 503 with \`Retry-After\` before the first look.
- One address is answered 200 times a second, and each connection once in 5 s whatever its neighbours
  do; beyond that it is 429 with \`Retry-After\`. Requests of one connection are answered one after the other.
- \`/health/stream\` sends a snapshot (the fields of Ecosystem, \`event_type: "snapshot"\`), then a [Change](#change) for each
  step of the index. Over WebSocket send \`{"since": N}\` first to go on behind N; with text/event-stream the browser sends
  \`Last-Event-ID\` by itself. What cannot be gone on from gets a snapshot. Who does not read is cut off: come back and go on.
- With \`--token-file\` send \`Authorization: Bearer <token>\`; \`/health\` needs none.
`;

function routeText(route: Route): string {
  return [
    `## GET ${route.path}\n`,
    `${route.summary}\n`,
    ...parametersText(route),
    `Answers ${route.media === undefined ? linkTo(route.schema) : `\`${route.media}\``}:\n`,
    typeof route.example === 'string'
      ? `\`\`\`text\n${route.example.trim()}\n\`\`\`\n`
      : `\`\`\`json\n${JSON.stringify(route.example, null, 2)}\n\`\`\`\n`,
  ].join('\n');
}

function parametersText(route: Route): string[] {
  const rows = Object.entries(route.query).map(([name, { says }]) => `| \`${name}\` | ${says} |`);
  return rows.length === 0 ? [] : ['| query | |', '| --- | --- |', ...rows, ''];
}

function shapeText([name, schema]: [string, Schema]): string[] {
  const fields = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>);
  if (fields.length === 0) return [];
  const rows = fields.map(([field, each]) => `| \`${field}\` | ${typeText(each)} | ${meaning(each)} |`);
  return [
    `### ${name}\n`,
    ...(schema['description'] === undefined ? [] : [`${meaning(schema)}\n`]),
    head,
    ...rows,
    '',
  ];
}

const head = '| field | type | |\n| --- | --- | --- |';

const meaning = (schema: Schema): string => (schema['description'] as string | undefined) ?? '';

function typeText(schema: Schema): string {
  const { $ref, type, items, const: only, enum: words, format, anyOf } = schema;
  if (typeof $ref === 'string') return linkTo($ref.split('/').at(-1) ?? '');
  if (Array.isArray(anyOf)) return (anyOf as Schema[]).map(typeText).join(' or ');
  if (only !== undefined) return `\`${JSON.stringify(only)}\``;
  if (Array.isArray(words)) return words.map((word) => `\`${String(word)}\``).join(', ');
  if (items !== undefined) return `list of ${typeText(items as Schema)}`;
  if (type === 'object') return `{ ${Object.keys(schema['properties'] ?? {}).join(', ')} }`;
  const names = [type]
    .flat()
    .map((each) => (each === 'string' && format === 'date-time' ? 'time' : String(each)));
  return names.join(' or ');
}

const linkTo = (name: string): string => `[${name}](#${name.toLowerCase()})`;
