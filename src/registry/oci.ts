import type { Clock } from '../lib/clock.ts';
import { Failure } from '../model/failure.ts';
import { Budget, type BudgetLimits } from './budget.ts';
import type { Login } from './credentials.ts';
import type { Repository } from './reference.ts';
import { reach, type Reached } from './reached.ts';
import type { Routes } from './route.ts';
import { Authorisation, readChallenge } from './token.ts';
import { Transport, type Ask, type Reply } from './transport.ts';

interface OciOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly limits: BudgetLimits;
  readonly routes: Routes;
  readonly loginTo: (host: string) => Promise<Login>;
}

/** A question about one repository; `path` comes after `/v2/<name>/`. */
interface OciQuestion {
  readonly method: 'GET' | 'HEAD';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The OCI distribution API over any number of hosts: authorised, within each host's budget, failures told apart. */
export class OciClient {
  readonly #options: OciOptions;
  readonly #transport: Transport;
  readonly #authorisation: Authorisation;
  readonly #budgets = new Map<string, Budget>();

  constructor(options: OciOptions) {
    this.#options = options;
    this.#transport = new Transport(options.clock, options.routes);
    this.#authorisation = new Authorisation(this.#transport, options.clock, options.loginTo);
  }

  /** Answers 2xx, 304 and, to HEAD, what says nothing of GET; everything else is a `Failure`. */
  async ask(repository: Repository, question: OciQuestion, signal: AbortSignal): Promise<Reply> {
    const url = new URL(`https://${repository.site}/v2/${repository.name}/${question.path}`);
    const ask: Ask = {
      ...{ method: question.method, url, registry: repository.site },
      headers: question.headers ?? {},
    };
    const reply = await this.#budgetOf(repository.host).spend(url.href, () =>
      this.#authorised(repository, ask, signal),
    );
    return understood(reply, repository, question);
  }

  /** How the registry is reached; see `Reached`. */
  reach(repository: Repository, signal: AbortSignal): Promise<Reached> {
    const { routes, loginTo } = this.#options;
    return reach(repository, { transport: this.#transport, routes, loginTo }, signal);
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  async #authorised(repository: Repository, ask: Ask, signal: AbortSignal): Promise<Reply> {
    const known = this.#authorisation.known(repository);
    const reply = await this.#transport.ask(withAuthorisation(ask, known), signal);
    const challenge = reply.status === 401 ? readChallenge(reply.headers['www-authenticate']) : null;
    if (challenge === null) return reply;
    const { header, trouble } = await this.#authorisation.meet(repository, challenge, signal);
    const met = header === null ? reply : await this.#transport.ask(withAuthorisation(ask, header), signal);
    if (trouble !== null && [401, 403].includes(met.status)) throw trouble;
    return met;
  }

  #budgetOf(host: string): Budget {
    const { clock, random, limits } = this.#options;
    const budget = this.#budgets.get(host) ?? new Budget(clock, random, limits);
    this.#budgets.set(host, budget);
    return budget;
  }
}

const withAuthorisation = (ask: Ask, authorization: string | null): Ask =>
  authorization === null ? ask : { ...ask, headers: { ...ask.headers, authorization } };

function understood(reply: Reply, { host, name }: Repository, { method, path }: OciQuestion): Reply {
  const { status } = reply;
  if ((status >= 200 && status < 300) || status === 304) return reply;
  // Registries and what stands before them know GET better: it decides.
  if (method === 'HEAD' && status !== 401) return reply;
  if (status === 404) throw notFound(`${host} has no ${name} (${path})`);
  if (status === 401 || status === 403) throw denied(`${host} does not let us see ${name} (${status})`);
  throw new Failure('registry_answer', `${host} answers ${status} to ${name} (${path})`);
}

const notFound = (message: string): Failure =>
  new Failure('image_not_found', message, { suggestedAction: 'check the name and the tag of the image' });

const denied = (message: string): Failure =>
  new Failure('registry_denied', message, {
    suggestedAction: 'check the name of the image, or run docker login for its registry',
  });
