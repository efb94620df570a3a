import { Failure } from '../model/failure.ts';
import type { Tagged } from './cache.ts';
import type { OciClient } from './oci.ts';
import type { Repository } from './reference.ts';
import { parseJson } from './token.ts';
import type { Reply } from './transport.ts';

const MOST_TAGS = 20_000;
const PAGE = 1000;
/** Some registries give pages of 10 whatever is asked for. */
const MOST_PAGES = 500;

type Tags = Tagged<readonly string[]>;

/** All tags, page after page. Only a list of one page can be asked for conditionally: its mark says nothing of the others. */
export async function fetchTags(
  oci: OciClient,
  repository: Repository,
  known: Tags | null,
  signal: AbortSignal,
): Promise<Tags> {
  const tags = new Set<string>();
  let path: string | null = `tags/list?n=${PAGE}`;
  let etag = known?.etag ?? null;
  for (let page = 0; path !== null && page < MOST_PAGES && tags.size < MOST_TAGS; page += 1) {
    const headers: Record<string, string> = page === 0 && etag !== null ? { 'if-none-match': etag } : {};
    const reply: Reply = await oci.ask(repository, { method: 'GET', path, headers }, signal);
    if (reply.status === 304 && known !== null) return known;
    readPage(reply, repository).forEach((tag) => tags.add(tag));
    path = nextPath(reply.headers['link'], repository);
    etag = page === 0 && path === null ? (reply.headers['etag'] ?? null) : null;
  }
  return { value: [...tags].slice(0, MOST_TAGS), etag };
}

const isTag = (tag: unknown): tag is string =>
  typeof tag === 'string' && /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(tag);

function readPage({ status, body }: Reply, { host, name }: Repository): string[] {
  const { tags } = status === 200 ? parseJson(body, host) : {};
  if (tags === null) return [];
  if (!Array.isArray(tags)) throw answer(`${host} gives no list of the tags of ${name}`);
  return tags.filter(isTag);
}

/**
 * The next page of the same list at the same host, asked for at the address we began with: a registry behind a proxy
 * may name itself with another scheme. A link that leads elsewhere is refused, our credentials would follow it.
 */
function nextPath(link: string | undefined, { origin, host, name }: Repository): string | null {
  const target = /<([^>]+)>\s*;\s*rel="?next"?/i.exec(link ?? '')?.[1];
  if (target === undefined) return null;
  const list = new URL(`${origin}/v2/${name}/tags/list`);
  const next = URL.canParse(target, list.href) ? new URL(target, list) : null;
  if (next?.host !== list.host || next.pathname !== list.pathname) {
    throw answer(`${host} gives a next page that is not of the tags of ${name}`);
  }
  return `tags/list${next.search}`;
}

const answer = (message: string): Failure => new Failure('registry_answer', message);
