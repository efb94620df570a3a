import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** One field of an event, as the log has it. */
export interface Field {
  readonly name: string;
  readonly optional: boolean;
  /** `string`, `"pull" | "start"`, `{ error: string }`, `string[]`. */
  readonly type: string;
  /** Its docstring on one line; empty without one. */
  readonly says: string;
}

/** The fields of every event and those that all share, read from `src/model/event.ts` itself. */
export function eventTypes(): {
  readonly shared: readonly Field[];
  readonly own: Readonly<Record<string, readonly Field[]>>;
} {
  const path = fileURLToPath(new URL('../../src/model/event.ts', import.meta.url));
  const program = ts.createProgram([path], options);
  const source = program.getSourceFile(path);
  if (source === undefined) throw new Error(`${path} cannot be read`);
  const reader = new TypeReader(program.getTypeChecker(), source);
  const events = reader.named('EventFields').getProperties();
  return {
    shared: reader.fieldsOf(reader.everyEvent()),
    own: Object.fromEntries(events.map((event) => [event.name, reader.fieldsOf(reader.typeOf(event))])),
  };
}

const options: ts.CompilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  allowImportingTsExtensions: true,
  noEmit: true,
  types: [],
};

/** Kept by name: what it holds is for ourselves. */
const opaque: readonly string[] = ['Memory'];

class TypeReader {
  readonly #checker: ts.TypeChecker;
  readonly #source: ts.SourceFile;

  constructor(checker: ts.TypeChecker, source: ts.SourceFile) {
    this.#checker = checker;
    this.#source = source;
  }

  named(name: string): ts.Type {
    return this.#checker.getTypeAtLocation(this.#declaration(name).name);
  }

  /** The part of `Event` that does not depend on which event it is. */
  everyEvent(): ts.Type {
    const found: ts.TypeLiteralNode[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isIntersectionTypeNode(node)) found.push(...node.types.filter(ts.isTypeLiteralNode));
      ts.forEachChild(node, visit);
    };
    visit(this.#declaration('Event'));
    const [first] = found;
    if (first === undefined) throw new Error('Event is no longer made of a shared part and its own');
    return this.#checker.getTypeFromTypeNode(first);
  }

  typeOf(symbol: ts.Symbol): ts.Type {
    return this.#checker.getTypeOfSymbol(symbol);
  }

  fieldsOf(type: ts.Type): readonly Field[] {
    return this.#checker.getPropertiesOfType(type).map((property) => ({
      name: property.name,
      optional: (property.flags & ts.SymbolFlags.Optional) !== 0,
      type: this.#text(this.typeOf(property)),
      says: ts.displayPartsToString(property.getDocumentationComment(this.#checker)).replaceAll('\n', ' '),
    }));
  }

  #declaration(name: string): ts.InterfaceDeclaration | ts.TypeAliasDeclaration {
    const found = this.#source.statements.find(
      (each): each is ts.InterfaceDeclaration | ts.TypeAliasDeclaration =>
        (ts.isInterfaceDeclaration(each) || ts.isTypeAliasDeclaration(each)) && each.name.text === name,
    );
    if (found === undefined) throw new Error(`src/model/event.ts has no ${name} any more`);
    return found;
  }

  #text(type: ts.Type): string {
    if ((type.flags & ts.TypeFlags.TypeParameter) !== 0) return 'string';
    if (type.isUnion()) return this.#unionText(type);
    const [element] = this.#checker.isArrayType(type)
      ? this.#checker.getTypeArguments(type as ts.TypeReference)
      : [];
    if (element !== undefined) return `${bracketed(this.#text(element))}[]`;
    const values = type.getStringIndexType();
    if (values !== undefined) return `{ [name]: ${this.#text(values)} }`;
    return this.#isPlainObject(type) ? this.#objectText(type) : this.#checker.typeToString(type);
  }

  /** `true | false` is `boolean`; what may be absent says so by its field. */
  #unionText(type: ts.UnionType): string {
    const members = type.types
      .filter(({ flags }) => (flags & ts.TypeFlags.Undefined) === 0)
      .map((member) => this.#text(member));
    const isBoolean = members.includes('true') && members.includes('false');
    const told = isBoolean ? [...members.filter((each) => !/^(true|false)$/.test(each)), 'boolean'] : members;
    return [...told.filter((each) => each !== 'null'), ...told.filter((each) => each === 'null')].join(' | ');
  }

  #objectText(type: ts.Type): string {
    const members = this.fieldsOf(type).map(
      ({ name, optional, type: text }) => `${name}${optional ? '?' : ''}: ${text}`,
    );
    return `{ ${members.join('; ')} }`;
  }

  #isPlainObject(type: ts.Type): boolean {
    return (type.flags & ts.TypeFlags.Object) !== 0 && !opaque.includes(type.symbol.name);
  }
}

const bracketed = (text: string): string => (text.includes(' | ') ? `(${text})` : text);
