import { createSecureContext } from 'node:tls';
import { EXIT, StartError } from './config.ts';
import { readText } from './policy.ts';

export interface Listening {
  readonly host: string;
  readonly port: number;
  readonly token: string | null;
  /** PEM texts; undefined: plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

/** `host:port` with the protection that it needs: loopback is open, anything else asks for a token or an explicit yes. */
export async function openListening(options: {
  readonly listen: string;
  readonly tokenFile: string | null;
  readonly openStatus: boolean;
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
}): Promise<Listening> {
  const { host, port } = readAddress(options.listen);
  if (options.tokenFile === null && !options.openStatus && !isLoopback(host)) {
    throw new StartError(
      EXIT.badOptions,
      `--listen ${options.listen} can be read by other machines: give --token-file <file>, or --open-status to allow it without a token`,
    );
  }
  const token =
    options.tokenFile === null ? null : (await readText(options.tokenFile, '--token-file')).trim();
  if (token === '') throw new StartError(EXIT.badOptions, `--token-file ${options.tokenFile ?? ''} is empty`);
  return { host, port, token, tls: await readTls(options) };
}

async function readTls(options: {
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
}): Promise<Listening['tls']> {
  const { tlsCert, tlsKey } = options;
  if (tlsCert === null && tlsKey === null) return undefined;
  if (tlsCert === null || tlsKey === null)
    throw new StartError(EXIT.badOptions, '--tls-cert and --tls-key are needed together');
  const tls = { cert: await readText(tlsCert, '--tls-cert'), key: await readText(tlsKey, '--tls-key') };
  try {
    createSecureContext(tls);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StartError(
      EXIT.badOptions,
      `--tls-cert ${tlsCert} and --tls-key ${tlsKey} do not serve: ${why}`,
    );
  }
  return tls;
}

export function readAddress(listen: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]+)):(\d{1,5})$/.exec(listen);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new StartError(
      EXIT.badOptions,
      `--listen must be host:port, such as 127.0.0.1:8090, not "${listen}"`,
    );
  }
  return { host: match[1] ?? match[2] ?? '', port };
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host.startsWith('127.');
