import type { Imported } from './entry.ts';
import { fieldsOf, isFields, listOf, textOf, type Fields } from './fields.ts';

/** What an editor asks a person for (`inputs` of VS Code): who uses it, for that is where the operator puts the value. */
export function inputsOf(given: Fields, servers: Fields): Imported {
  const notes = listOf(given['inputs'])
    .filter(isFields)
    .map((input) => {
      const id = textOf(input['id']) ?? '';
      const users = Object.entries(servers).flatMap(([name, server]) => usersOf(id, name, fieldsOf(server)));
      return `the input ${id}${described(input)}: ${users.length === 0 ? 'no server uses it' : `${users.join(', ')} has its value`}`;
    });
  return { entries: [], notes };
}

function described(input: Fields): string {
  const description = textOf(input['description']) ?? '';
  return description === '' || description === textOf(input['id']) ? '' : ` (${description})`;
}

/** `github: GITHUB_TOKEN`, for each variable that is filled with it; `github` where only its arguments are. */
function usersOf(id: string, name: string, server: Fields): readonly string[] {
  const isUsed = (value: unknown): boolean => (textOf(value) ?? '').includes(`\${input:${id}}`);
  const variables = Object.entries({ ...fieldsOf(server['env']), ...fieldsOf(server['environment']) })
    .filter(([, value]) => isUsed(value))
    .map(([variable]) => `${variable} of ${name}`);
  const others = [...listOf(server['args']), server['url']].some(isUsed) ? [`a setting of ${name}`] : [];
  return [...variables, ...others];
}
