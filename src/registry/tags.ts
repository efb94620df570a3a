import { Failure } from '../model/failure.ts';
import type { Tagged } from './cache.ts';
import type { OciClient } from './oci.ts';
import type { Repository } from './reference.ts';
import { parseJson } from './token.ts';
import type { Reply } from './transport.ts';

const MOST_TAGS = 100_000;
const PAGE = 1000;
/** Some registries give pages of 10 whatever is asked for. */
const MOST_PAGES = 500;

type Tags = Tagged<readonly string[]>;

/**
 * All tags, page after page; a list that cannot be read to its end is no list. Only one of one page can be asked for
 * conditionally: its mark says nothing of the others.
 */
export async function fetchTags(
  oci: OciClient,
  repository: Repository,
  known: Tags | null,
  signal: AbortSignal,
): Promise<Tags> {
  const tags = new Set<string>();
  const asked = new Set<string>();
  let path: string | null = `tags/list?n=${PAGE}`;
  let etag = known?.etag ?? null;
  while (path !== null) {
    const isFirst = asked.size === 0;
    refuseEndless(path, { tags, asked, repository });
    asked.add(path);
    const headers: Record<string, string> = isFirst && etag !== null ? { 'if-none-match': etag } : {};
    const reply: Reply = await oci.ask(repository, { method: 'GET', path, headers }, signal);
    if (reply.status === 304 && known !== null) return known;
    readPage(reply, repository).forEach((tag) => tags.add(tag));
    path = nextPath(reply.headers['link'], repository);
    etag = isFirst && path === null ? (reply.headers['etag'] ?? null) : null;
  }
  return { value: [...tags], etag };
}

interface Pages {
  readonly tags: ReadonlySet<string>;
  readonly asked: ReadonlySet<string>;
  readonly repository: Repository;
}

function refuseEndless(path: string, { tags, asked, repository: { host, name } }: Pages): void {
  if (asked.has(path)) throw answer(`${host} gives the same page of the tags of ${name} twice`);
  if (tags.size <= MOST_TAGS && asked.size < MOST_PAGES) return;
  throw new Failure('registry_answer', `${host} has more tags of ${name} than are read (${tags.size})`, {
    suggestedAction: 'delete old tags, or pin the version',
  });
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
 * The next page, asked for at the address that we began with: of a link only its query counts. What stands before a
 * registry may name another scheme, host or folder (Artifactory, Nexus), and our credentials would follow it there.
 */
function nextPath(link: string | undefined, { site, host, name }: Repository): string | null {
  const target = nextIn(link ?? '');
  if (target === null) return null;
  const list = `https://${site}/v2/${name}/tags/list`;
  const next = URL.canParse(target, list) ? new URL(target, list) : null;
  if (next?.pathname.endsWith('/tags/list') !== true || next.search === '')
    throw answer(`${host} gives a next page that is not of the tags of ${name}`);
  return `tags/list${next.search}`;
}

/** `<target>; rel="next"`, among other links and parameters. */
function nextIn(link: string): string | null {
  const links = [...link.matchAll(/<([^<>]*)>([^<>]*)/g)];
  return links.find(([, , parameters = '']) => /;\s*rel\s*=\s*"?next\b/i.test(parameters))?.[1] ?? null;
}

const answer = (message: string): Failure => new Failure('registry_answer', message);
