import { Failure } from '../model/failure.ts';
import type { Login } from './credentials.ts';
import type { Repository } from './reference.ts';
import type { Route, Routes } from './route.ts';
import { readChallenge, realmOf } from './token.ts';
import type { Reply, Transport } from './transport.ts';

/** How a registry was reached, and where credentials for it would go. None was sent. */
export interface Reached {
  /** `ghcr.io`, `127.0.0.1:5000`. */
  readonly host: string;
  readonly spoken: 'https' | 'http';
  /** Why its certificate is not checked, or not asked for; null: it was checked. */
  readonly unchecked: string | null;
  /** `proxy.corp:3128`; null: none. */
  readonly proxy: string | null;
  /** Files with certificates besides those that come with Node, and what is wrong with others. */
  readonly certificates: { readonly from: readonly string[]; readonly troubles: readonly string[] };
  readonly asksFor: 'nothing' | 'a password' | 'a token';
  /** The host that credentials would be shown to; null: nobody asks for any. */
  readonly shownTo: string | null;
  /** `file` or the program of a helper; null: there are none. */
  readonly credentials: string | null;
  /** Why credentials that may be there cannot be had; null: nothing is wrong. */
  readonly trouble: Failure | null;
  /** Its clock in Unix ms; null: it does not say. */
  readonly time: number | null;
}

interface Reaching {
  readonly transport: Transport;
  readonly routes: Routes;
  readonly loginTo: (host: string) => Promise<Login>;
}

/** Asks the registry for nothing but whether it is one. Rejects with a `Failure`. */
export async function reach(
  repository: Repository,
  reaching: Reaching,
  signal: AbortSignal,
): Promise<Reached> {
  const { transport, routes, loginTo } = reaching;
  const { host, site } = repository;
  const url = new URL(`https://${site}/v2/`);
  const [reply, login] = await Promise.all([
    transport.ask({ method: 'GET', url, registry: site }, signal),
    loginTo(host),
  ]);
  const route = await routes.to(site, site);
  return {
    host,
    ...spokenOver(reply, route),
    ...askedBy(reply, repository),
    credentials: login.from,
    trouble: login.trouble,
    time: Date.parse(reply.headers['date'] ?? '') || null,
  };
}

function spokenOver({ url }: Reply, { insecure, proxy, certificates }: Route) {
  const { from, troubles } = certificates;
  const scheme = url.protocol === 'http:' ? 'http:' : 'https:';
  return {
    spoken: scheme === 'http:' ? ('http' as const) : ('https' as const),
    unchecked: insecure,
    proxy: proxy[scheme]?.host ?? null,
    certificates: { from, troubles },
  };
}

function askedBy(reply: Reply, repository: Repository): Pick<Reached, 'asksFor' | 'shownTo'> {
  const { host } = repository;
  if (reply.status === 200) return { asksFor: 'nothing', shownTo: null };
  const challenge = reply.status === 401 ? readChallenge(reply.headers['www-authenticate']) : null;
  if (challenge === null)
    throw new Failure('registry_answer', `${host} answers ${reply.status} to /v2/: it is no registry`, {
      suggestedAction: 'look at the address in `image`',
    });
  if (challenge.scheme === 'basic') return { asksFor: 'a password', shownTo: repository.site };
  return { asksFor: 'a token', shownTo: realmOf(challenge.parameters['realm'] ?? '', repository).host };
}
