import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSettled, makePlan } from '../../src/plan/plan.ts';
import { innocent } from '../support/model/engine.ts';
import { verdictOf, type Offer } from '../support/model/final-law.ts';
import { followingHistories } from '../support/model/history.ts';
import { Model } from '../support/model/model.ts';
import { digestOfNumber, numberOfDigest } from '../support/model/registry.ts';

/** The same every time, so that it fails for what was changed; FC_SEED=<number> plays others, FC_RUNS more of them. */
const seed = Number(process.env['FC_SEED'] ?? 20_261_127);
const runs = Number(process.env['FC_RUNS'] ?? 2_000);

const plays = (servers: number, share: number): void => {
  const numRuns = Math.ceil(runs * share);
  fc.assert(
    fc.property(followingHistories(servers), (history) => expectWhatGitSays(new Model(history).run())),
    { numRuns, seed },
  );
};

describe('whatever is merged, published, killed and falls ill, what git says runs in the end, or why not is said', () => {
  it('with one server', { timeout: 600_000 }, () => plays(1, 0.7));
  it('with up to three servers', { timeout: 600_000 }, () => plays(3, 0.3));
});

function expectWhatGitSays(model: Model): void {
  if (model.manifestEmpty) return;
  const world = model.world();
  const plan = makePlan(world);
  const settled = isSettled(world, plan);
  for (const decision of plan.decisions) {
    const { server: name } = decision;
    const commit = model.commitOf(name);
    if (commit.state !== 'running') continue;
    const offers = offersOf(model, name);
    const memory = world.memory.servers[name];
    const tell = (): string => JSON.stringify({ decision, offers, memory, instances: model.engine.list() });
    const verdict = verdictOf(world, decision, offers);
    const best = offers.find(({ isGood }) => isGood);
    if (commit.rollback && best !== undefined) expect(verdict, tell()).toMatch(/^as git says|held$/);
    // Where no version is good, or none may be gone back from, the only one there is may be down just now.
    if (verdict === 'no version bears it') expect(settled?.failed ?? [name], tell()).toContain(name);
    if (verdict === 'strays') expect(answering(model, name), tell()).toEqual([]);
    if (verdict !== 'as git says' || !commit.rollback || best === undefined) continue;
    if (best !== offers[0] && commit.strategy === 'latest') continue;
    expect(answering(model, name), tell()).toEqual([best.imageDigest]);
    expect(memory?.stable, tell()).toBe(world.wanted[name]?.digest);
    // Of several one that is down for good may keep the revision from being settled.
    expect(settled?.failed ?? [], tell()).not.toContain(name);
  }
}

/** The image digests of what answers well. */
const answering = (model: Model, name: string): string[] =>
  model.engine
    .list()
    .filter((one) => one.server === name && one.joined && model.engine.answer(one, model.now) === 'ok')
    .map(({ spec }) => spec?.imageDigest ?? '');

/** What the entry may go to, the best first. */
function offersOf(model: Model, name: string): Offer[] {
  const { strategy, number: named, env } = model.commitOf(name);
  const last = model.publishedOf(name) - 1;
  const offer = (number: number): Offer => ({
    imageDigest: digestOfNumber(number),
    isGood: innocent.has(model.traitOf(name, { number, env })),
  });
  if (strategy === 'pinned') return [offer(named)];
  if (strategy === 'latest') return [last, ...standInOf(model, name)].map(offer);
  const left = model.memory.servers[name]?.quarantined.filter(({ gate }) => gate === 'reverted') ?? [];
  const floor = Math.max(named, ...left.map(({ imageDigest }) => numberOfDigest(imageDigest)));
  const newer = Array.from({ length: last - floor }, (_one, index) => offer(last - index));
  return [...newer, offer(named)];
}

/** A tag that moves stands for what it stood for before as well, as far as that is known. */
function standInOf(model: Model, name: string): number[] {
  const known = model.memory.servers[name]?.resolved?.imageDigest;
  const live = model.engine.list().find((one) => one.server === name && one.joined);
  const { image = '', imageDigest = '' } = live?.spec ?? {};
  const all = [known, image.endsWith(':latest') ? imageDigest : undefined];
  return all.flatMap((digest) => (digest === undefined ? [] : [numberOfDigest(digest)]));
}
