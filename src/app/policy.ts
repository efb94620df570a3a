import { readFile } from 'node:fs/promises';
import { defaultPolicy, readPolicy, trusting, type Policy } from '../manifest/policy.ts';
import { readUtf8 } from '../lib/utf8.ts';
import { MAX_MANIFEST_BYTES } from '../manifest/read.ts';
import { formatProblems } from '../manifest/validate.ts';
import { EXIT, StartError } from './config.ts';

/** The operator's policy file, with what `--trust` adds. Rejects with a `StartError` that names every problem. */
export async function openPolicy(options: {
  readonly policy: string | null;
  readonly trust: readonly string[];
}): Promise<Policy> {
  if (options.policy === null) return trusting(defaultPolicy, options.trust);
  const text = await readText(options.policy, '--policy');
  const read = readPolicy(text, options.policy);
  if (read.ok) return trusting(read.value, options.trust);
  throw new StartError(EXIT.badOptions, `the policy file cannot be used:\n${formatProblems(read.error)}`);
}

/** A file named by an option. Rejects with a `StartError` that names option and file. */
export async function readText(file: string, option: string): Promise<string> {
  try {
    const content = await readFile(file);
    if (content.byteLength > MAX_MANIFEST_BYTES) throw new Error('it is larger than 4 MiB');
    const text = readUtf8(content);
    if (text.ok) return text.value;
    throw new Error(`it ${text.error.what}. ${text.error.advice}`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StartError(EXIT.badOptions, `${option} ${file} cannot be read: ${why}`);
  }
}
