import { expect, test } from 'vitest';
import { play } from '../support/play-example.ts';

test('the second waypoint is reached: a good version takes over unnoticed, a bad one undoes itself', async () => {
  const output = await play('waypoints/w2.ts');
  expect(output).toMatch(/met {2,}from finding it until it answers \(deployment\) {2,}[\d.]+ s/);
  expect(output).toMatch(/met {2,}requests lost {2,}0 of \d+/);
  expect(output).not.toContain('MISSED');
});
