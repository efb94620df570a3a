// Reads the report of a test run and says how it went, on one line that is the last. Usage: tally.js <report> <exit code>
import { readFileSync } from 'node:fs';

const [reportFile, exitCode] = process.argv.slice(2);
const results = readReport(reportFile ?? '');
const tests = results.flatMap(({ name, status, assertionResults }) =>
  // A file that could not even be loaded has no tests; it is one that failed.
  assertionResults.length === 0 && status === 'failed'
    ? [{ status: 'failed', fullName: name }]
    : assertionResults,
);
const passed = tests.filter(({ status }) => status === 'passed');
const others = tests.filter(({ status }) => status !== 'passed');
for (const { status, fullName } of others) console.log(`${status}: ${fullName}`);
const failed = others.length === 0 && passed.length === 0 ? 1 : others.length;
const code = Number(exitCode) || (failed > 0 ? 1 : 0);
if (Number(exitCode) !== 0 && others.length === 0)
  console.log(`a step besides the tests failed with exit code ${exitCode}; see above`);
console.log(`${passed.length} passed, ${failed} failed`);
process.exitCode = code;

/** Empty when the tests did not begin. */
function readReport(file) {
  const text = readFileSync(file, 'utf8');
  return text === '' ? [] : JSON.parse(text).testResults;
}
