/** Shorter ones would blot out half of every text, and are no secrets. */
const SHORTEST = 4;
const SHORTEST_LINE = 8;

/** Blots out every value it was told of, in the forms in which programs write them down. */
export class Scrubber {
  readonly #values = new Set<string>();
  #forms: readonly string[] = [];

  add(value: string): void {
    if (value.length < SHORTEST || this.#values.has(value)) return;
    this.#values.add(value);
    const forms = new Set([...this.#forms, ...[value, ...linesOf(value)].flatMap(formsOf)]);
    // The longest first: one value may be a part of another.
    this.#forms = [...forms].sort((a, b) => b.length - a.length);
  }

  scrub(text: string): string {
    return this.#forms.reduce((left, form) => left.replaceAll(form, '***'), text);
  }
}

/** A log shows a key line by line. */
function linesOf(value: string): readonly string[] {
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  return lines.length === 1 ? [] : lines.filter((line) => line.length >= SHORTEST_LINE);
}

function formsOf(value: string): readonly string[] {
  const encoded = encodeURIComponent(value);
  const base64 = [0, 1, 2].map((shift) => base64At(value, shift)).filter((form) => form.length >= SHORTEST);
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    encoded,
    encoded.replaceAll('%20', '+'),
    ...base64,
    ...base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_')),
  ];
}

/** The digits that are sure when `shift` bytes (mod 3) come before the value, as `user:` does in a login. */
function base64At(value: string, shift: number): string {
  const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(value)]);
  const sure = Math.floor((bytes.length * 8) / 6);
  return bytes.toString('base64').slice(Math.ceil((shift * 8) / 6), sure);
}
