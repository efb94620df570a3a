import { refusal, type Answer } from './answer.ts';

/** Every way to say no, and what to do then. `/openapi.json` shows these very ones. */

export const badQuery = (name: string, takes: string): Answer =>
  refusal(400, {
    error_code: 'bad_query',
    message: `"${name}" cannot be read`,
    suggested_action: `${name}: ${takes}`,
  });

export const badTarget = (target: string): Answer =>
  refusal(400, {
    error_code: 'bad_path',
    message: `"${target}" is not a path`,
    suggested_action: 'see /openapi.json for what there is',
  });

/** What stands between us and a client may believe the other one (RFC 9112, 3.2). */
export const twoHosts = refusal(400, {
  error_code: 'two_hosts',
  message: 'the request names more than one Host',
  suggested_action: 'name one',
});

export const tokenNeeded = refusal(
  401,
  {
    error_code: 'token_needed',
    message: 'this endpoint asks for a token',
    suggested_action: 'send "Authorization: Bearer <token>" with the content of the --token-file',
  },
  // A line each: browsers do not find Basic behind a comma.
  { 'WWW-Authenticate': ['Bearer', 'Basic realm="mcp-orchestration"'] },
);

export const strangeHost = (host: string): Answer =>
  refusal(403, {
    error_code: 'host_not_allowed',
    message: `"${host}" is not a name this orchestrator goes by`,
    suggested_action: 'ask by a loopback name, or start the orchestrator with --allow-host <name>',
  });

export const strangeOrigin = (origin: string): Answer =>
  refusal(403, {
    error_code: 'origin_not_allowed',
    message: `pages of "${origin}" may not ask`,
    suggested_action: 'start the orchestrator with --allow-host <name of the page>',
  });

export const unknownServer = (id: string): Answer =>
  refusal(404, {
    error_code: 'unknown_server',
    message: `no server has the name or namespace "${id}"`,
    suggested_action: 'see /servers for those there are',
  });

export const unknownPath = (path: string): Answer =>
  refusal(404, {
    error_code: 'unknown_path',
    message: `nothing is at ${path}`,
    suggested_action: 'see /openapi.json for what there is',
  });

export const methodNotAllowed = (method: string): Answer =>
  refusal(
    405,
    {
      error_code: 'method_not_allowed',
      message: `${method} is not answered: nothing can be changed here`,
      suggested_action:
        'change the manifest in git; see the commands pause, resume, retry and sync for the rest',
    },
    { Allow: 'GET, HEAD' },
  );

/** Who asks too often has no other answer for so long; then a connection has one in any case. */
export const WAIT_SECONDS = 5;

export const tooManyRequests = refusal(
  429,
  {
    error_code: 'too_many_requests',
    message: 'more is asked from this address than is answered',
    suggested_action: 'ask less often, or follow /health/stream: it tells each change as it happens',
  },
  { 'Retry-After': String(WAIT_SECONDS) },
);

export const tooManyReaders = refusal(
  503,
  {
    error_code: 'too_many_readers',
    message: 'as many readers as can be served follow the stream',
    suggested_action: 'come back later, or poll /health/status',
  },
  { 'Retry-After': '30' },
);

export const notReady = refusal(
  503,
  {
    error_code: 'not_ready',
    message: 'the orchestrator has just started and has not looked yet',
    suggested_action: 'ask again in a moment',
  },
  { 'Retry-After': '1' },
);
