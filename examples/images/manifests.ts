/** What stands behind a tag, as engines of all ages push it; a registry gives only the kinds that are asked for. */
export const manifestTypes = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  list: 'application/vnd.docker.distribution.manifest.list.v2+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
} as const;

export const anyManifest: Readonly<Record<string, string>> = {
  accept: Object.values(manifestTypes).join(', '),
};

/** The digest that a registry has under a tag. Throws when it has none. */
export async function digestInRegistry(
  registryUrl: string,
  repository: string,
  tag: string,
): Promise<string> {
  const name = repository.slice(repository.indexOf('/') + 1);
  const answer = await fetch(`${registryUrl}/v2/${name}/manifests/${tag}`, {
    method: 'HEAD',
    headers: anyManifest,
    signal: AbortSignal.timeout(10_000),
  });
  const digest = answer.headers.get('docker-content-digest');
  if (!answer.ok || digest === null)
    throw new Error(`the registry does not tell the digest of ${repository}:${tag}: ${answer.status}`);
  return digest;
}
