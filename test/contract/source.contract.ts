import { describe, expect, it, onTestFinished } from 'vitest';
import { Failure } from '../../src/model/failure.ts';
import type { ManifestSource } from '../../src/source/source.ts';

/** What the contract needs of one kind of source. */
export interface SourceStage {
  readonly source: ManifestSource;
  /** Makes this the manifest's content, in the way people do it for this kind. */
  readonly publish: (content: string | Uint8Array) => Promise<void>;
  /** Takes the manifest away. */
  readonly withdraw: () => Promise<void>;
  /** Ends what was begun for the stage. */
  readonly end: () => Promise<void>;
}

/** What holds for manifests wherever they come from. */
export function sourceContract(kind: string, begin: () => Promise<SourceStage>): void {
  const stage = async (): Promise<SourceStage> => {
    const begun = await begin();
    onTestFinished(() => begun.end());
    return begun;
  };
  const soon = (): AbortSignal => AbortSignal.timeout(60_000);

  describe(`a manifest from ${kind}`, () => {
    it('is read byte for byte, with a revision that names it', async () => {
      const { source, publish } = await stage();
      const bytes = Uint8Array.from([0, 255, 13, 10, 0xc3, 0x28, 10]);
      await publish(bytes);
      const snapshot = await source.read(null, soon());
      expect(Buffer.from(snapshot?.content ?? [])).toEqual(Buffer.from(bytes));
      expect(snapshot?.revision).toMatch(/^([0-9a-f]{40,64}|sha256:[0-9a-f]{64})$/);
      expect(snapshot?.file).toBe('ecosystem-manifest.yaml');
    });

    it('is not read again while it is still the known one', async () => {
      const { source, publish } = await stage();
      await publish('version: "1.0"\n');
      const first = await source.read(null, soon());
      expect(await source.read(first?.revision ?? '', soon())).toBeNull();
    });

    it('is read again when it changed', async () => {
      const { source, publish } = await stage();
      await publish('version: "1.0"\n');
      const first = await source.read(null, soon());
      await publish('version: "1.1"\n');
      const second = await source.read(first?.revision ?? '', soon());
      expect(second?.revision).not.toBe(first?.revision);
      expect(String(Buffer.from(second?.content ?? []))).toBe('version: "1.1"\n');
    });

    it('is said to be missing when it is gone, with advice, and is found when it is back', async () => {
      const { source, publish, withdraw } = await stage();
      await publish('version: "1.0"\n');
      await withdraw();
      const failure = await source.read(null, soon()).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Failure);
      expect(failure).toMatchObject({ code: 'source_missing' });
      expect((failure as Failure).suggestedAction).toMatch(/\.$/);
      await publish('version: "1.1"\n');
      expect(await source.read(null, soon())).not.toBeNull();
    });

    it('more than 4 MiB of it are cut off one byte later, so that the reader can refuse it', async () => {
      const { source, publish } = await stage();
      await publish(new Uint8Array(6 * 1024 * 1024).fill(35));
      const snapshot = await source.read(null, soon());
      expect(snapshot?.content.length).toBe(4 * 1024 * 1024 + 1);
    });

    it('is not waited for when nobody waits any more', async () => {
      const { source, publish } = await stage();
      await publish('version: "1.0"\n');
      const failure = await source.read(null, AbortSignal.abort()).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'source_unreachable' });
    });

    it('stops being watched when the signal says so', async () => {
      const { source, publish } = await stage();
      await publish('version: "1.0"\n');
      const stop = new AbortController();
      const watched = source.watch(() => undefined, stop.signal);
      stop.abort();
      await watched;
    });
  });
}
