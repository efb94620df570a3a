import { expect, test } from 'vitest';
import { play } from '../support/play-example.ts';

test('the waypoint is reached, and says its figures', async () => {
  const output = await play('waypoints/w1.ts');
  expect(output).toMatch(/met {2,}from the merge until the revision is known {2,}[\d.]+ s/);
  expect(output).toMatch(/met {2,}from the merge until its tools answer \(add, echo, whoami\) {2,}[\d.]+ s/);
  expect(output).not.toContain('MISSED');
});
