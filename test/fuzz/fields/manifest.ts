import { isMap, isScalar, isSeq, parse, parseDocument, stringify } from 'yaml';
import { defaultPolicy } from '../../../src/manifest/policy.ts';
import { formatProblems, validateManifest } from '../../../src/manifest/validate.ts';
import type { Random } from '../../support/random.ts';
import { damaged, damagedText } from '../damage.ts';
import { brokenInText, secretWords, type Field } from '../field.ts';
import { oddText } from '../odd.ts';

const file = 'ecosystem-manifest.yaml';
const good = {
  name: 'a-good-neighbour',
  version: '2.0.0',
  docker: { image: 'liminalcommons/a-good-neighbour', port: 9000 },
};
const whole = (secret: string): object => ({
  name: 'mcp-server-github',
  namespace: 'github',
  description: 'GitHub tools',
  version: '1.0.0',
  transport: 'http',
  desired_state: 'running',
  restart_token: '2026-11-20',
  depends_on: ['a-good-neighbour'],
  docker: {
    ...{
      image: 'liminalcommons/mcp-server-github:1.0.0',
      port: 8080,
      path: '/mcp',
      host_port: 0,
      user: '1000',
    },
    ...{ command: ['serve'], volumes: [{ source: 'data', target: '/data', read_only: false }] },
    ...{
      networks: ['mcp-network'],
      resources: { cpus: 1, memory: '512m', pids: 256 },
      read_only_root: false,
    },
  },
  config: {
    env: { LOG_LEVEL: 'info', A_SECRET: secret },
    secrets: [{ name: 'GITHUB_TOKEN', required: true }],
  },
  health_check: { endpoint: '/health', interval_seconds: 30, timeout_seconds: 5, failure_threshold: 3 },
  restart_policy: 'always',
  auto_update: true,
  version_strategy: 'semantic',
  update: { order: 'start-first', version_range: '^1.0.0', exclude: ['1.0.1'], soak_seconds: 600 },
  recovery: { max_attempts: 3, backoff_seconds: [1, 5, 30] },
});

/** Manifests that are broken in their structure or in their letters: read, judged and told. */
export function manifestField(): Field {
  return { name: 'manifest', attempt, close: () => Promise.resolve() };
}

function attempt(random: Random): string[] {
  const [secret = ''] = secretWords(random, 1);
  const text = textOf(random, whole(secret));
  const content = contentOf(random, text);
  const { problems, desired } = validateManifest({ content, file }, defaultPolicy);
  return [
    ...brokenInText(formatProblems(problems), isName(secret, text) ? [] : [secret]),
    ...(desired === null && problems.length === 0 ? ['it is refused, and nothing is told'] : []),
    ...neighbourIn(desired?.servers ?? [], text),
  ];
}

/** A quote that went elsewhere makes a name of a value, and names are told. */
const isName = (secret: string, text: string): boolean =>
  namesIn(parseDocument(text, { logLevel: 'silent', stringKeys: true }).contents).some((name) =>
    name.includes(secret),
  );

function namesIn(node: unknown): string[] {
  if (isSeq(node)) return node.items.flatMap(namesIn);
  if (!isMap(node)) return [];
  return node.items.flatMap(({ key, value }) => [isScalar(key) ? String(key.value) : '', ...namesIn(value)]);
}

function textOf(random: Random, entry: object): string {
  const document = { version: '1.1', trace_id: 'a-trace', servers: [good, damaged(random, entry)] };
  const chance = random.next();
  if (chance < 0.5) return written(random, document);
  if (chance < 0.6) return written(random, damaged(random, { ...document, defaults: { recovery: {} } }));
  return damagedText(random, written(random, { ...document, servers: [good, entry] }));
}

const written = (random: Random, document: unknown): string =>
  random.chance(0.5) ? JSON.stringify(document) : stringify(document);

function contentOf(random: Random, text: string): Uint8Array {
  const bytes = Buffer.from(text, random.chance(0.97) ? 'utf8' : random.pick(['utf16le', 'latin1']));
  return random.chance(0.98) ? bytes : Buffer.concat([Buffer.from(oddText(random)), bytes]);
}

/** One entry that is well is what it would be alone, as long as it is still written as it was. */
function neighbourIn(
  servers: readonly { readonly name: string; readonly entry: string }[],
  text: string,
): string[] {
  const seen = servers.find(({ name }) => name === good.name);
  if (seen === undefined || !isAsWritten(text)) return [];
  return seen.entry === alone() ? [] : ['the good neighbour is another entry than it is alone'];
}

function isAsWritten(text: string): boolean {
  const document = parse(text) as { defaults?: unknown; servers?: readonly unknown[] } | null;
  return document?.defaults === undefined && JSON.stringify(document?.servers?.[0]) === JSON.stringify(good);
}

let known: string | undefined;
function alone(): string {
  const content = Buffer.from(JSON.stringify({ version: '1.1', servers: [good] }));
  known ??= validateManifest({ content, file }, defaultPolicy).desired?.servers[0]?.entry ?? '';
  return known;
}
