import ts from 'typescript';

/** One file of the program, as the walls see it. */
export interface SourceFile {
  /** From the root of the repository, `src/plan/decide.ts`. */
  readonly path: string;
  readonly text: string;
}

/** What a file names in its import and export lines. */
interface Import {
  /** A package, `node:fs`, or a path from the root of the repository. */
  readonly name: string;
  readonly ours: boolean;
}

/** Where the doors lie, and who may go through them. The test that holds the table says it all. */
export interface Walls {
  /** Folder below src -> the other folders it may import. */
  readonly rooms: Readonly<Record<string, readonly string[]>>;
  /** Rooms with a door: `<room>/<room>.ts`. */
  readonly doors: readonly string[];
  /** Folders that know a room by its door alone. */
  readonly byDoorOnly: readonly string[];
  /** Values in, values out. */
  readonly pure: readonly string[];
  /** Package -> the files and folders that may import it. */
  readonly packages: Readonly<Record<string, readonly string[]>>;
  /** Words of the outside world, and who may say them. */
  readonly words: readonly Word[];
}

export interface Word {
  /** As the code says it: `Date.now`, `new Date()`, `node:timers`. */
  readonly said: readonly string[];
  /** File or folder -> the reason. */
  readonly allowed: Readonly<Record<string, string>>;
}

/** Every broken wall of a file, each a sentence that begins with the file's name; empty: none. */
export function brokenWalls(file: SourceFile, walls: Walls): readonly string[] {
  const code = parse(file);
  const imports = importsOf(file.path, code);
  const words = wordsOf(code);
  return [
    ...imports.flatMap((each) => brokenImport(file.path, each, walls)),
    ...brokenPurity(file.path, [...imports.map(({ name }) => name), ...words], walls),
    ...brokenWords(file.path, [...imports.map(({ name }) => name), ...words], walls),
    ...brokenNames(file.path, code),
  ].map((broken) => `${file.path} ${broken}`);
}

/** Exports of a contract that have no docstring, by name. */
export function undocumented(file: SourceFile): readonly string[] {
  const code = parse(file);
  return code.statements
    .filter((each) => isExported(each) && !ts.isExportDeclaration(each))
    .filter((each) => ts.getJSDocCommentsAndTags(each).length === 0)
    .map(
      (each) => (each as ts.Statement & { name?: ts.Identifier }).name?.text ?? each.getText().slice(0, 40),
    );
}

/** `src/plan/decide/live.ts` -> `plan`; `src/main.ts` -> `main`; null outside src. */
export function roomOf(path: string): string | null {
  const [top, folder] = path.split('/');
  return top === 'src' && folder !== undefined ? folder.replace(/\.(ts|js)$/, '') : null;
}

function brokenImport(path: string, { name, ours }: Import, walls: Walls): readonly string[] {
  if (ours) return brokenRoom(path, name, walls);
  if (name.startsWith('node:')) return [];
  const homes = walls.packages[packageOf(name)] ?? [];
  if (homes.some((home) => isIn(path, home))) return [];
  return [`imports ${name}; ${homes.length === 0 ? 'nobody' : `only ${homes.join(', ')}`} may`];
}

function brokenRoom(path: string, name: string, walls: Walls): readonly string[] {
  const from = roomOf(path) ?? path;
  const to = roomOf(name) ?? name;
  if (from === to) return [];
  if (!(walls.rooms[from] ?? []).includes(to)) return [`imports ${name}; ${from} may not know ${to}`];
  const door = `src/${to}/${to}.ts`;
  const passesDoor = name === door || !walls.doors.includes(to) || !walls.byDoorOnly.includes(from);
  return passesDoor ? [] : [`imports ${name}; ${from} knows a room by its contract ${door} alone`];
}

function brokenPurity(path: string, words: readonly string[], walls: Walls): readonly string[] {
  if (!walls.pure.includes(roomOf(path) ?? '')) return [];
  return words
    .filter((word) => word.startsWith('node:') || impure.includes(word))
    .map((word) => `says ${word}, and is pure: values in, values out`);
}

const impure: readonly string[] = [
  'async',
  'await',
  'Promise',
  'Date.now',
  'new Date()',
  'Math.random',
  'process',
  'globalThis',
  'setTimeout',
  'setInterval',
  'setImmediate',
];

function brokenWords(path: string, words: readonly string[], walls: Walls): readonly string[] {
  if (walls.pure.includes(roomOf(path) ?? '')) return [];
  return walls.words
    .filter(({ allowed }) => !Object.keys(allowed).some((home) => isIn(path, home)))
    .map(({ said, allowed }) => ({ heard: words.filter((word) => isSaid(word, said)), allowed }))
    .filter(({ heard }) => heard.length > 0)
    .map(({ heard, allowed }) => `says ${heard.join(', ')}; only ${Object.keys(allowed).join(', ')} may`);
}

const isIn = (path: string, home: string): boolean => path === home || path.startsWith(`${home}/`);

const isSaid = (word: string, said: readonly string[]): boolean =>
  said.some((one) => word === one || word.startsWith(`${one}/`));

const vague = /(^|-)(utils?|helpers?|managers?|base|common|misc|impl)\./;

function brokenNames(path: string, code: ts.SourceFile): readonly string[] {
  const lines = codeLines(code);
  return [
    ...(vague.test(path.split('/').at(-1) ?? '') ? ['has a name that says nothing'] : []),
    ...(hasDefaultExport(code) ? ['has a default export'] : []),
    ...(lines >= 250 ? [`has ${lines} lines of code; fewer than 250 are allowed`] : []),
  ];
}

const hasDefaultExport = (code: ts.SourceFile): boolean =>
  code.statements.some((each) => ts.isExportAssignment(each) || modifiersOf(each).includes('default'));

const isExported = (each: ts.Statement): boolean => modifiersOf(each).includes('export');

const modifiersOf = (each: ts.Statement): readonly string[] =>
  (ts.canHaveModifiers(each) ? ts.getModifiers(each) : undefined)?.map((one) => one.getText()) ?? [];

/** Static and dynamic, of values and of types. */
function importsOf(path: string, code: ts.SourceFile): readonly Import[] {
  return nodesOf(code)
    .flatMap((node) => specifierOf(node) ?? [])
    .map((name) => {
      if (!name.startsWith('.')) return { name, ours: false };
      return { name: new URL(name, `file:///${path}`).pathname.slice(1), ours: true };
    });
}

function specifierOf(node: ts.Node): string | null {
  const named =
    ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
      ? node.moduleSpecifier
      : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
        ? node.argument.literal
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : undefined;
  return named !== undefined && ts.isStringLiteralLike(named) ? named.text : null;
}

/** What the code says, comments and texts left out: names, `a.b`, `new A()`, `async`, `await`. Each once. */
function wordsOf(code: ts.SourceFile): readonly string[] {
  return [...new Set(nodesOf(code).flatMap((node) => wordOf(node) ?? []))];
}

function wordOf(node: ts.Node): string | null {
  if (node.kind === ts.SyntaxKind.AsyncKeyword) return 'async';
  if (ts.isAwaitExpression(node)) return 'await';
  if (ts.isPropertyAccessExpression(node)) return node.getText();
  if (ts.isNewExpression(node) && (node.arguments?.length ?? 0) === 0)
    return `new ${node.expression.getText()}()`;
  return ts.isIdentifier(node) && !isMemberName(node) ? node.text : null;
}

/** `process` in `queue.process` or `{ process: 1 }` is a name somebody chose, not the process. */
function isMemberName({ parent, ...node }: ts.Identifier): boolean {
  if (ts.isPropertyAccessExpression(parent)) return parent.name.pos === node.pos;
  const named = parent as ts.Node & { readonly name?: ts.Node };
  return named.name !== undefined && named.name.pos === node.pos;
}

function nodesOf(code: ts.SourceFile): readonly ts.Node[] {
  const found: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(code);
  return found;
}

/** As ESLint counts: without blank lines and comments. */
function codeLines(code: ts.SourceFile): number {
  const lines = new Set<number>();
  const lineAt = (position: number): number => code.getLineAndCharacterOfPosition(position).line;
  const visit = (node: ts.Node): void => {
    const members = node
      .getChildren(code)
      .filter(({ kind }) => kind < ts.SyntaxKind.FirstJSDocNode || kind > ts.SyntaxKind.LastJSDocNode);
    if (members.length > 0) return members.forEach(visit);
    if (node.getWidth(code) === 0) return;
    for (let line = lineAt(node.getStart(code)); line <= lineAt(node.getEnd()); line += 1) lines.add(line);
  };
  visit(code);
  return lines.size;
}

const packageOf = (name: string): string =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');

const parse = ({ path, text }: SourceFile): ts.SourceFile =>
  ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
