import { holdsTemplate, isSecretValue, namesSecret } from './secrecy.ts';

/** An environment variable as somebody else's file gives it. */
export interface Variable {
  readonly name: string;
  /** undefined: somebody has to give one. */
  readonly value: string | undefined;
  readonly isSecret: boolean;
  readonly isRequired: boolean;
}

/** What a manifest says in `config`. */
export interface Environment {
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: readonly { readonly name: string; readonly required: boolean }[];
  readonly notes: readonly string[];
}

/** Values that are in the open, and names of all that is not. What comes first counts, and a secret before all. */
export function environmentOf(variables: readonly Variable[], server: string): Environment {
  const sound = variables.filter(({ name }) => isName(name));
  const secret = unique(sound.filter(isHidden));
  const names = secret.map(({ name }) => name);
  const open = unique(sound.filter((each) => !isHidden(each) && !names.includes(each.name)));
  const filled = open.filter(({ value = '' }) => !holdsTemplate(value));
  return {
    env: Object.fromEntries(filled.map(({ name, value = '' }) => [name, value])),
    secrets: secret.map(({ name, isRequired }) => ({ name, required: isRequired })),
    notes: [
      ...variables.filter(({ name }) => !isName(name)).map(nameless),
      ...secret.map((each) => keptApart(each, server)),
      ...open.filter((each) => !filled.includes(each)).map(({ name }) => unfilled(name)),
    ],
  };
}

const isName = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]{0,254}$/.test(name);

/** What has no value is asked of the operator too: a manifest knows no other way to ask. */
const isHidden = ({ name, value, isSecret }: Variable): boolean =>
  isSecret || value === undefined || namesSecret(name) || isSecretValue(value);

const unique = (variables: readonly Variable[]): readonly Variable[] =>
  variables.filter(({ name }, position) => variables.findIndex((each) => each.name === name) === position);

const nameless = ({ name }: Variable): string =>
  name === '' ? 'a variable without a name is left out' : `${name} is left out: no variable can be named so`;

const keptApart = ({ name, value }: Variable, server: string): string =>
  value === undefined
    ? `${name} needs a value: put it into <secrets>/${server}/${name}`
    : `the value of ${name} is not copied: put it into <secrets>/${server}/${name}`;

const unfilled = (name: string): string =>
  `${name} is left out: another program's settings fill it in; write its value under config.env`;
