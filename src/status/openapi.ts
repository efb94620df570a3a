import { ownValue } from '../lib/own-value.ts';
import type { Answer } from './answer.ts';
import {
  badQuery,
  methodNotAllowed,
  notReady,
  strangeHost,
  tokenNeeded,
  tooManyReaders,
  tooManyRequests,
  twoHosts,
  unknownPath,
  unknownServer,
} from './refusals.ts';
import type { Route } from './route.ts';
import { schemaRef, schemas } from './schemas.ts';

/** The version of what is described, not of the program: a change of URL, schema or authentication raises it. */
const API_VERSION = '1.0.0';

/** OpenAPI 3.1, with an example for each answer. */
export function openApiDocument(routes: readonly Route[]) {
  return {
    openapi: '3.1.0',
    info: {
      title: 'mcp-orchestration status',
      version: API_VERSION,
      description:
        'What runs, how it is and since when. Answers GET and HEAD only (405 with Allow for all else); nothing can be changed here.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    // The empty one: without --token-file nothing is asked for.
    security: [{}, { bearer: [] }, { basic: [] }],
    paths: Object.fromEntries(
      routes.map((route) => [route.path, { get: operationOf(route), head: headOf(route) }]),
    ),
    components: {
      schemas,
      responses: { MethodNotAllowed: refused('Only GET and HEAD are answered.', methodNotAllowed('POST')) },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        basic: { type: 'http', scheme: 'basic' },
      },
    },
  };
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly responses: Readonly<Record<string, Response>>;
  readonly [field: string]: unknown;
}

function operationOf(route: Route): Operation {
  return {
    operationId: route.operation,
    summary: route.summary,
    parameters: [...(hasId(route) ? [idOf(route)] : []), ...queryOf(route)],
    ...(route.needs === 'nothing' ? { security: [{}] } : {}),
    responses: {
      '200': {
        description: route.summary,
        ...(isFollowed(route) ? { headers: { ETag: { schema: { type: 'string' } } } } : {}),
        content: contentOf(route),
      },
      ...refusalsOf(route),
    },
  };
}

const idParameter = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'Name or namespace of a server.',
  schema: { type: 'string' },
};

const idOf = ({ idSays }: Route) => ({
  ...idParameter,
  description: idSays ?? idParameter.description,
});

const queryOf = (route: Route) =>
  Object.entries(route.query).map(([name, { says, schema }]) => ({
    name,
    in: 'query',
    description: says,
    schema,
  }));

/** The same without a body. */
function headOf(route: Route): Operation {
  const { operationId, summary, responses, ...rest } = operationOf(route);
  const bare = Object.entries(responses).map(([code, { description }]): [string, Response] => [
    code,
    { description },
  ]);
  return {
    ...rest,
    operationId: `${operationId}_head`,
    summary: `The headers of: ${summary}`,
    responses: Object.fromEntries(bare),
  };
}

interface Response {
  readonly description: string;
  readonly headers?: object;
  readonly content?: object;
}

function refusalsOf(route: Route): Readonly<Record<string, Response>> {
  const [name] = Object.keys(route.query);
  const bad = name === undefined ? twoHosts : badQuery(name, ownValue(route.query, name)?.says ?? '');
  return {
    ...(isFollowed(route)
      ? { '304': { description: 'Nothing has changed since the ETag in If-None-Match.' } }
      : {}),
    '400': refused('The query cannot be read, or the request names two Hosts.', bad),
    ...(route.needs === 'nothing' ? {} : { '401': refused('A token is needed.', tokenNeeded) }),
    '403': refused('Host or Origin is not allowed.', strangeHost('evil.example')),
    ...(hasId(route) && !route.takesAnyId
      ? { '404': refused('There is nothing of this name.', unknownOf(route)) }
      : {}),
    '429': refused('More is asked from one address than is answered; see Retry-After.', tooManyRequests),
    ...awayOf(route),
  };
}

const unknownOf = ({ idSays }: Route): Answer =>
  idSays === undefined ? unknownServer('nobody') : unknownPath('/page/nothing.js');

function awayOf(route: Route): Readonly<Record<string, Response>> {
  if (route.needs === 'nothing')
    return {
      '503': { description: 'The journal cannot be written.', content: json(route.schema, downOf(route)) },
    };
  if (route.streams) return { '503': refused('As many readers as can be served are here.', tooManyReaders) };
  if (route.needs === 'token') return {};
  return { '503': refused('Nothing has been looked at yet; see Retry-After.', notReady) };
}

const downOf = ({ example }: Route): object => ({
  ...(example as object),
  status: 'down',
  checks: { manifest: 'ok', engine: 'ok', journal: 'down' },
});

const refused = (description: string, { body }: Answer): Response => ({
  description,
  content: json('Error', body),
});

function contentOf({ media = 'application/json', otherMedia = {}, schema, example }: Route): object {
  const examples = Object.entries({ [media.split(';')[0] ?? media]: example, ...otherMedia });
  return Object.fromEntries(
    examples.map(([each, shown]) => [each, { schema: schemaRef(schema), example: shown }]),
  );
}

const json = (schema: string, example: unknown) => ({
  'application/json': { schema: schemaRef(schema), example },
});

/** Not imported from routes.ts, which imports this file. */
const isFollowed = (route: Route): boolean => 'index' in route.query;

const hasId = (route: Route): boolean => route.path.includes('{id}');
