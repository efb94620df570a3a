import { describe, expect, it } from 'vitest';
import { raiseOffThread, readOffThread } from '../../src/reader/reader.ts';

const input = (text: string) => ({ content: new TextEncoder().encode(text), file: 'm.yaml' });
const never = new AbortController().signal;

describe('reading off the main thread', () => {
  it('reads a manifest as reading it here would', async () => {
    const result = await readOffThread(input('version: "1.1"\nservers: []\n'), never);
    expect(result).toMatchObject({ ok: true, value: { manifest: { version: '1.1', servers: [] } } });
  });

  it('raises a version as raising it here would', async () => {
    const text = (version: string): string =>
      `version: "1.1"\nservers: [{name: a, version: "${version}", docker: {image: a/b, port: 1}}]\n`;
    const result = await raiseOffThread(input(text('1.0.0')), { server: 'a', tag: '1.1.0' }, never);
    expect(result.ok && new TextDecoder().decode(result.value)).toBe(text('1.1.0'));
    expect(await raiseOffThread(input(''), { server: 'a', tag: '1.1.0' }, never)).toMatchObject({
      ok: false,
    });
  });

  it('does not blame the manifest when the machine is too busy to begin', async () => {
    const late = AbortSignal.abort(new DOMException('late', 'TimeoutError'));
    for (const signal of [late, AbortSignal.timeout(1)]) {
      await expect(readOffThread(input('version: "1.1"\nservers: []\n'), signal)).rejects.toMatchObject({
        code: 'source_unusable',
      });
    }
  });

  it('says nothing about the manifest when we are asked to stop', async () => {
    await expect(readOffThread(input(''), AbortSignal.abort(new Error('stopping')))).rejects.toThrow(
      'stopping',
    );
  });

  it('keeps the main thread free and gives up after 5 s, or at 512 MiB, by itself', async () => {
    const flood = input('- a\n'.repeat(1_000_000));
    let beats = 0;
    const heart = setInterval(() => (beats += 1), 20);
    const started = performance.now();
    const result = await readOffThread(flood, never);
    clearInterval(heart);
    expect(result.ok).toBe(false);
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(beats).toBeGreaterThan(10);
  });
});
