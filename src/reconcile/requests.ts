import type { Clock } from '../lib/clock.ts';
import { News } from '../lib/news.ts';
import type { EventDraft } from '../model/event.ts';
import type { Request, RequestAnswer, StateFolder } from '../state/state.ts';
import { traceOf } from './perform.ts';
import type { Recorder } from './recorder.ts';

export interface RequestsDeps {
  readonly requests: StateFolder['requests'];
  readonly recorder: Recorder;
  readonly clock: Clock;
  /** Servers that are in the manifest or still remembered. */
  readonly knows: (server: string) => boolean;
  /** Carries out what is more than a memory: look at the source, forget waits. */
  readonly obey: (request: Request) => void;
}

/** Without any news the folder is looked at this often. */
const LOOK_EVERY_MS = 2_000;

/** Obeys until `signal` aborts. A folder that cannot be read for a while is told of, and looked at again. */
export async function keepObeying(
  deps: RequestsDeps & { readonly news: News; readonly report: (error: unknown) => void },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await obeyRequests(deps).catch(deps.report);
    await deps.news.wait(deps.clock.now() + LOOK_EVERY_MS, signal);
  }
}

/** Takes what people asked for with a command, writes it down, answers. */
async function obeyRequests(deps: RequestsDeps): Promise<void> {
  for (const request of await deps.requests.take()) {
    await deps.requests.answer(request, await obey(request, deps));
  }
}

async function obey(request: Request, deps: RequestsDeps): Promise<RequestAnswer> {
  const { server } = request;
  if (server !== null && !deps.knows(server)) {
    return { accepted: false, message: `no server is called ${server}; see: mcp-orchestration status` };
  }
  await deps.recorder.record(draftOf(request, deps));
  deps.obey(request);
  return { accepted: true, message: says[request.request](server ?? 'all servers') };
}

function draftOf(request: Request, deps: RequestsDeps): EventDraft<'request_accepted'> {
  const { server, reason, forSeconds } = request;
  const until = forSeconds === null ? null : deps.clock.now() + forSeconds * 1_000;
  const traceId = traceOf(server ?? '', deps);
  const fields = {
    request: request.request,
    ...(request.request === 'pause' ? { until } : {}),
    ...(reason === null ? {} : { reason }),
  };
  return { event: 'request_accepted', server, traceId, fields };
}

const says: { readonly [R in Request['request']]: (whom: string) => string } = {
  pause: (whom) => `paused: nothing is done to ${whom}; watching goes on`,
  resume: (whom) => `resumed: ${whom}`,
  retry: (whom) => `quarantine and attempts forgotten: ${whom}`,
  sync: () => 'looking at the source now',
};
