import type { TestServerBehaviour } from '../support/test-server-image.ts';
import { Random } from '../support/random.ts';

/** An entry as git has it at a moment of a history; the scene makes its manifest from it. */
export interface ScriptEntry {
  readonly server: string;
  readonly version: string;
  /** Value of `config.env.SOAK`: each change of it is another spec. */
  readonly env: number;
  readonly follows: boolean;
  readonly stopped: boolean;
  readonly stopFirst: boolean;
  /** With a volume of its own that no two may write to. */
  readonly exclusive: boolean;
}

export interface Offer {
  readonly version: string;
  readonly behaviour: TestServerBehaviour;
}

export type Step =
  | { readonly kind: 'commit'; readonly says: string; readonly entries: readonly ScriptEntry[] }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'publish'; readonly offer: Offer }
  | { readonly kind: 'kill' | 'crash' | 'hang' | 'sick' | 'remove' | 'stop'; readonly server: string }
  | { readonly kind: 'registry' | 'remote'; readonly seconds: number }
  | { readonly kind: 'die'; readonly signal: 'SIGKILL' | 'SIGTERM'; readonly awaySeconds: number };

/** What happens in one history, and when: nothing but its seed decides. */
export interface Script {
  readonly seed: number;
  /** What the registry has from the beginning. */
  readonly offers: readonly Offer[];
  readonly steps: readonly { readonly afterMs: number; readonly step: Step }[];
}

const bad: readonly TestServerBehaviour[] = ['exit-at-once', 'unhealthy', 'answer-503', 'wrong-version'];
const names = ['a', 'b', 'c'];
const faults = ['kill', 'crash', 'crash', 'hang', 'sick', 'remove', 'stop'] as const;

/** The history of a seed. Its first step deploys, its last one is a manifest that can be read. */
export function scriptOf(seed: number): Script {
  const writer = new Writer(new Random(seed));
  return { seed, ...writer.write() };
}

class Writer {
  readonly #random: Random;
  readonly #good = ['1.0.0', '1.1.0'];
  readonly #offers: Offer[] = ['1.0.0', '1.1.0'].map((version) => ({ version, behaviour: 'ok' }));
  #entries: readonly ScriptEntry[] = [];
  #before: readonly ScriptEntry[] = [];
  #minor = 1;

  constructor(random: Random) {
    this.#random = random;
  }

  write(): Omit<Script, 'seed'> {
    const random = this.#random;
    const used = names.slice(0, random.whole(1, 3));
    this.#entries = this.#before = used.map((server) => this.#entryOf(server));
    if (random.chance(0.5)) this.#offers.push(this.#nextOffer());
    const offers = [...this.#offers];
    const steps: Step[] = [{ kind: 'commit', says: 'deploy', entries: this.#entries }];
    for (let left = random.whole(6, 12); left > 0; left -= 1) steps.push(this.#step());
    steps.push({ kind: 'commit', says: 'end', entries: this.#entries });
    return { offers, steps: steps.map((step) => ({ afterMs: this.#pause(), step })) };
  }

  /** Short ones, to meet each other; and long ones, to let something end. */
  #pause(): number {
    return this.#random.chance(0.6) ? this.#random.whole(0, 1_500) : this.#random.whole(1_500, 7_000);
  }

  #entryOf(server: string): ScriptEntry {
    const random = this.#random;
    return {
      ...{ server, version: random.pick(this.#good), env: random.whole(1, 99), stopped: false },
      ...{ follows: random.chance(0.5), stopFirst: random.chance(0.2), exclusive: random.chance(0.25) },
    };
  }

  #step(): Step {
    const random = this.#random;
    const chance = random.next();
    if (chance < 0.4) return this.#commit();
    if (chance < 0.52) return { kind: 'publish', offer: this.#publish() };
    if (chance < 0.7) return { kind: 'die', signal: this.#signal(), awaySeconds: random.pick([0, 0, 1, 4]) };
    if (chance < 0.78) return { kind: random.pick(['registry', 'remote']), seconds: random.whole(1, 6) };
    if (chance < 0.81) return { kind: 'unreadable' };
    const server = random.pick(names.slice(0, Math.max(1, this.#entries.length)));
    return { kind: random.pick(faults), server };
  }

  #signal(): 'SIGKILL' | 'SIGTERM' {
    return this.#random.chance(0.8) ? 'SIGKILL' : 'SIGTERM';
  }

  #commit(): Step {
    const [says, entries] = this.#change();
    this.#before = this.#entries;
    this.#entries = entries;
    return { kind: 'commit', says, entries };
  }

  #change(): [says: string, entries: readonly ScriptEntry[]] {
    const random = this.#random;
    const chance = random.next();
    if (chance < 0.12) return ['revert', this.#before];
    if (chance < 0.22 && this.#entries.length > 1)
      return ['removal', this.#entries.filter((_, position) => position > 0)];
    const absent = names.filter((name) => !this.#entries.some(({ server }) => server === name));
    const added = absent[0];
    if (chance < 0.32 && added !== undefined) return ['addition', [...this.#entries, this.#entryOf(added)]];
    return this.#changeOne(random.pick(this.#entries));
  }

  #changeOne(entry: ScriptEntry): [says: string, entries: readonly ScriptEntry[]] {
    const random = this.#random;
    const chance = random.next();
    const put = (more: Partial<ScriptEntry>): readonly ScriptEntry[] =>
      this.#entries.map((one) => (one === entry ? { ...one, ...more } : one));
    if (chance < 0.4) return ['environment', put({ env: random.whole(100, 9_999) })];
    if (chance < 0.6) return ['version', put({ version: random.pick(this.#offers).version })];
    if (chance < 0.75) return ['strategy', put({ follows: !entry.follows })];
    if (chance < 0.9) return ['rest', put({ stopped: !entry.stopped })];
    return ['order', put({ stopFirst: !entry.stopFirst })];
  }

  #publish(): Offer {
    const offer = this.#nextOffer();
    this.#offers.push(offer);
    return offer;
  }

  #nextOffer(): Offer {
    const random = this.#random;
    this.#minor += 1;
    const version = `1.${this.#minor}.0`;
    const behaviour = random.chance(0.5) ? 'ok' : random.pick(bad);
    if (behaviour === 'ok') this.#good.push(version);
    return { version, behaviour };
  }
}
