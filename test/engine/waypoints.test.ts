import { expect, test } from 'vitest';
import { play } from '../support/play-example.ts';

// One after the other: their servers have the same names. The second, which puts load on the machine, is played alone.

test('the first waypoint is reached: a merge becomes running servers', async () => {
  const output = await play('waypoints/w1.ts');
  expect(output).toMatch(/met {2,}from the merge until the revision is known {2,}[\d.]+ s/);
  expect(output).toMatch(/met {2,}from the merge until its tools answer \(add, echo, whoami\) {2,}[\d.]+ s/);
  expect(output).not.toContain('MISSED');
});

test('the third waypoint is reached: what fell is seen and brought back, and nobody else is disturbed', async () => {
  const output = await play('waypoints/w3.ts');
  expect(output).toMatch(/met {2,}hang: from the fault to server_down {2,}[\d.]+ s/);
  expect(output).toMatch(/met {2,}hang: from the fault until it is back {2,}[\d.]+ s/);
  expect(output).not.toContain('MISSED');
});
