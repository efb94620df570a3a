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
        'What runs, how it is and since when. Answers GET and HEAD only; nothing can be changed here.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    // The empty one: without --token-file nothing is asked for.
    security: [{}, { bearer: [] }, { basic: [] }],
    paths: Object.fromEntries(routes.map((route) => [route.path, { get: operationOf(route) }])),
    components: {
      schemas,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        basic: { type: 'http', scheme: 'basic' },
      },
    },
  };
}

function operationOf(route: Route) {
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

function refusalsOf(route: Route) {
  if (route.needs === 'nothing') {
    return {
      '503': { description: 'The journal cannot be written.', content: json(route.schema, route.example) },
    };
  }
  return {
    ...(isFollowed(route)
      ? { '304': { description: 'Nothing has changed since the ETag in If-None-Match.' } }
      : {}),
    ...(queryOf(route).length > 0 ? { '400': error('The query cannot be read.', 'bad_query') } : {}),
    '401': error('A token is needed.', 'token_needed'),
    '403': error('Host or Origin is not allowed.', 'host_not_allowed'),
    ...(hasId(route) ? { '404': error('There is nothing of this name.', 'unknown_server') } : {}),
    ...(route.streams
      ? { '503': error('As many readers as can be served are here.', 'too_many_readers') }
      : {}),
    ...(route.needs === 'token'
      ? {}
      : { '503': error('Nothing has been looked at yet; see Retry-After.', 'not_ready') }),
  };
}

const error = (description: string, code: string) => ({
  description,
  content: json('Error', { error_code: code, message: description, suggested_action: 'what to do' }),
});

const contentOf = ({ media = 'application/json', schema, example }: Route) => ({
  [media.split(';')[0] ?? media]: { schema: schemaRef(schema), example },
});

const json = (schema: string, example: unknown) => ({
  'application/json': { schema: schemaRef(schema), example },
});

/** Not imported from routes.ts, which imports this file. */
const isFollowed = (route: Route): boolean => 'index' in route.query;

const hasId = (route: Route): boolean => route.path.includes('{id}');
