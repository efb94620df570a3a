import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sourceContract, type SourceStage } from '../contract/source.contract.ts';
import { git, makeRepository, serveOverGit, serveOverHttp } from '../support/git-remote.ts';
import { MANIFEST, open } from './stage.ts';

sourceContract('a file', () => folderStage(MANIFEST));
sourceContract('a folder', () => folderStage(''));
sourceContract('a work tree', () => gitStage(async (repository) => repository.work));
sourceContract('a bare repository', () => gitStage(async (repository) => repository.bare));
sourceContract('a file:// address', () => gitStage(async (repository) => `file://${repository.bare}`));
sourceContract('smart http', () =>
  gitStage(async (repository, ends) => {
    const server = await serveOverHttp(repository.folder);
    ends.push(() => server.close());
    return `${server.url}/remote.git`;
  }),
);
sourceContract('the git protocol', () =>
  gitStage(async (repository, ends) => {
    const server = await serveOverGit(repository.folder);
    ends.push(() => server.close());
    return `${server.url}/remote.git`;
  }),
);

async function folderStage(name: string): Promise<SourceStage> {
  const folder = await mkdtemp(join(tmpdir(), 'source-'));
  const file = join(folder, MANIFEST);
  return {
    source: await open({ manifest: join(folder, name), cloneDirectory: folder }),
    publish: (content) => writeFile(file, content),
    withdraw: () => rm(file),
    end: () => rm(folder, { recursive: true, force: true }),
  };
}

type Repository = Awaited<ReturnType<typeof makeRepository>>;
type Ends = (() => Promise<void>)[];

async function gitStage(
  serve: (repository: Repository, ends: Ends) => Promise<string>,
): Promise<SourceStage> {
  const repository = await makeRepository();
  const ends: Ends = [];
  const manifest = await serve(repository, ends);
  return {
    source: await open({ manifest, cloneDirectory: join(repository.folder, 'state', 'source') }),
    publish: async (content) => void (await repository.commit({ [MANIFEST]: content })),
    async withdraw() {
      await git(repository.work, 'rm', '--quiet', MANIFEST);
      await repository.commit({ 'README.md': 'moved away\n' });
    },
    async end() {
      await Promise.all(ends.map((end) => end()));
      await repository.remove();
    },
  };
}
