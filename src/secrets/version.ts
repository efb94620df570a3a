import { randomBytes, scrypt, createHmac } from 'node:crypto';

/**
 * Names a value without telling it: 16 hex digits that ride on labels. The same value of the same secret gives the
 * same version on every machine and after every start (a lost state folder must restart nothing), so there is no
 * random salt; scrypt makes guessing dear. Each value is computed once.
 */
export function secretVersions(): (server: string, name: string, value: string) => Promise<string> {
  const known = new Map<string, Promise<string>>();
  const key = randomBytes(32);
  return (server, name, value) => {
    const salt = `mcp-orchestration secret\0${server}\0${name}`;
    const cached = createHmac('sha256', key).update(`${salt}\0${value}`).digest('base64');
    const version = known.get(cached) ?? derive(value, salt);
    known.set(cached, version);
    return version;
  };
}

function derive(value: string, salt: string): Promise<string> {
  return new Promise((resolve, reject) => {
    scrypt(value, salt, 8, (error, derived) => {
      if (error === null) resolve(derived.toString('hex'));
      else reject(error);
    });
  });
}
