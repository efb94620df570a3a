import { bring } from '../../examples/engine/packages.ts';

/** What tests run beside Node: git remotes (over ssh too), recipes of the documents, a browser for the page, lists of processes, disks. */
const programs = [
  'git',
  'jq',
  'ps',
  'chromium',
  'mkfs.ext4',
  'docker-compose',
  'systemd-analyze',
  'ssh',
  'sshd',
  'unshare',
];

/** As root on Debian they are brought. Where nobody may install, the tests that need them fail, and this says of what. */
export async function setup(): Promise<void> {
  const say = (line: string): void => console.log(line);
  await bring(programs, say).catch((error: unknown) => {
    console.warn(error instanceof Error ? error.message : error);
  });
}
