import { choice, flag, list, required, text, textOr, whole } from './options.ts';

/** Options that several commands take, each written once. */

export const stateOption = {
  state: textOr('folder', 'what outlives us: events, accepted manifest, requests', './state'),
};

export const sourceOptions = {
  manifest: required('url|path', 'git url, repository, folder or file that says what should run'),
  branch: text('name', "git branch (default: the remote's HEAD)"),
  path: textOr('file', 'the manifest inside the repository or folder', 'ecosystem-manifest.yaml'),
  gitTokenFile: text('file', 'file with a token for https remotes, read at each use'),
  sshKey: text('file', 'private key for ssh remotes'),
};

export const policyOptions = {
  policy: text('file', "the operator's policy: what a manifest may ask for on this machine"),
  trust: list('pattern', "images to trust besides the policy's, e.g. 'ghcr.io/acme/*'"),
};

export const engineOptions = {
  runtime: choice('where instances live', ['docker', 'memory'], 'docker'),
  docker: text('socket|url', 'the engine (default: DOCKER_HOST, else the standard socket)'),
  owner: textOr('id', 'whose containers these are; two orchestrators on one engine need two', 'default'),
  secrets: text('folder', 'secret values, one file each: <folder>/<server>/<NAME>'),
  publishAddress: textOr('ip', 'where ports are published', '127.0.0.1'),
  advertise: text('host', 'host in endpoint URLs (default: the publish address)'),
  reach: choice('how probes reach an instance', ['host', 'container'], 'host'),
};

export const logOptions = {
  logFormat: choice('how the log is written', ['auto', 'text', 'json'], 'auto'),
  logLevel: choice('how much the log on stderr says', ['info', 'debug', 'warn', 'error', 'silent'], 'info'),
};

export const runOptions = {
  interval: whole('seconds', 'between two looks at a git remote', 15, 1),
  updateInterval: whole('seconds', 'between two looks for newer versions of one image', 60, 1),
  allowRewind: flag('accept a revision that does not descend from the last accepted one'),
  writeBack: choice(
    'commit newer versions to the manifest repository: each on a branch of its own, or directly',
    ['none', 'branch', 'direct'],
    'none',
  ),
  eventsFile: text(
    'file',
    "append events here instead of <state>/events.jsonl (e.g. beside another repository's inbox)",
  ),
  listen: textOr('host:port', 'the read-only status endpoint', '127.0.0.1:8090'),
  tokenFile: text('file', 'ask readers of the status endpoint for this bearer token'),
  tlsCert: text('file', 'serve the status endpoint over TLS with this certificate (PEM)'),
  tlsKey: text('file', 'the private key of --tls-cert (PEM)'),
  openStatus: flag('allow other machines to read the status endpoint without a token'),
  allowHost: list('name', 'Host names, besides loopback, that the status endpoint answers to'),
  channels: text('file', 'notification channels'),
  recordChecks: flag('write every health check to health.jsonl, not only changes'),
};
