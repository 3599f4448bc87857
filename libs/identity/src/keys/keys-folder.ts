import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { type Clock, fault } from '#kernel';
import { type Nkey, newNkey, nkeyFromSeed } from '../nats/nkey.ts';
import { operatorToken } from '../nats/tokens.ts';
import type { AgeKey, InstallationKeys } from './installation-keys.ts';
import { newSigningKey, signingKeyFromPem } from './signing-key.ts';

/** Files of the folder. `operator.seed` and `data.age` may be taken away and kept offline; the others are needed by every master. */
const files = {
  operator: 'operator.seed', operatorSigning: 'operator-signing.seed', operatorJwt: 'operator.jwt', system: 'system.seed',
  control: 'control.seed', agents: 'agents.seed', commandSigning: 'command-signing.pem',
  catalog: 'catalog.age', data: 'data.age', dataRecipient: 'data.recipient', cryptoSecret: 'crypto.secret',
} as const;

/** Written last: a folder without it is half-made. */
const seal = 'COMPLETE';
const format = 'holdfast-keys/1\n';

const write = async (dir: string, name: string, text: string): Promise<void> => {
  const handle: FileHandle = await open(join(dir, name), 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const readOptional = async (dir: string, name: string): Promise<string | undefined> => {
  try {
    return (await readFile(join(dir, name), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fault('validation', 'keys-unreadable', `The key file ${name} cannot be read; give this user the right to read the folder`, { cause: error });
  }
};

const read = async (dir: string, name: string): Promise<string> => {
  const text = await readOptional(dir, name);
  if (!text) throw fault('validation', 'keys-incomplete', `The key file ${name} is missing or empty; restore the folder from the recovery kit`);
  return text;
};

/** Other users must have no access, and a group (as of a mounted secret) must not write: the folder is the whole installation. */
const assertPrivate = async (dir: string): Promise<void> => {
  for (const name of Object.values(files)) {
    const found = await stat(join(dir, name)).catch(() => undefined);
    if (found && found.mode & 0o027) throw fault('validation', 'keys-exposed', `Other users can read or change the key file ${name}; run chmod 600 on the files of the folder`);
  }
};

const ageKey = async (identity: string): Promise<AgeKey> => ({ identity, recipient: await identityToRecipient(identity) });

const state = async (dir: string): Promise<'absent' | 'half-made' | 'complete'> => {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw fault('validation', 'keys-unreadable', `The key folder ${dir} cannot be read (${error.code}); correct its path or permissions`, { cause: error });
  });
  if (names.includes(seal)) return 'complete';
  return names.filter((name) => name !== 'lost+found').length === 0 ? 'absent' : 'half-made';
};

/** Reads the keys. Throws `keys-missing`, `keys-half-made`, `keys-incomplete`, `keys-exposed` or `keys-unreadable`. */
export const loadKeys = async (dir: string): Promise<InstallationKeys> => {
  const found = await state(dir);
  if (found === 'absent') throw fault('validation', 'keys-missing', `There are no keys in ${dir}; make them with: holdfast keys init ${dir}`);
  if (found === 'half-made') throw fault('validation', 'keys-half-made', `Making the keys in ${dir} was interrupted; remove the folder's content and run: holdfast keys init ${dir}`);
  await assertPrivate(dir);
  const seed = async (kind: Nkey['kind'], name: string): Promise<Nkey> => nkeyFromSeed(kind, await read(dir, name));
  const data = await readOptional(dir, files.data);
  return {
    operatorSigning: await seed('operator', files.operatorSigning),
    operatorJwt: await read(dir, files.operatorJwt),
    system: await seed('account', files.system),
    control: await seed('account', files.control),
    agents: await seed('account', files.agents),
    commandSigning: signingKeyFromPem(await read(dir, files.commandSigning)),
    catalog: await ageKey(await read(dir, files.catalog)),
    data: data ? await ageKey(data) : { recipient: await read(dir, files.dataRecipient) },
    cryptoSecret: Buffer.from(await read(dir, files.cryptoSecret), 'base64'),
  };
};

const makeAll = async (dir: string, now: number): Promise<void> => {
  const [operator, operatorSigning] = [newNkey('operator'), newNkey('operator')];
  const [system, control, agents] = [newNkey('account'), newNkey('account'), newNkey('account')];
  const data = await ageKey(await generateX25519Identity());
  const texts: Record<keyof typeof files, string> = {
    operator: operator.seed,
    operatorSigning: operatorSigning.seed,
    operatorJwt: operatorToken({ operatorSigning, system }, operator, now),
    system: system.seed,
    control: control.seed,
    agents: agents.seed,
    commandSigning: newSigningKey().exportPrivate(),
    catalog: await generateX25519Identity(),
    data: data.identity,
    dataRecipient: data.recipient,
    cryptoSecret: randomBytes(32).toString('base64'),
  };
  for (const [key, name] of Object.entries(files)) await write(dir, name, `${texts[key as keyof typeof files].trim()}\n`);
  await write(dir, seal, format);
};

/**
 * Makes all keys of an installation in `dir` (0700, files 0600), or loads those that are there: running it again changes nothing.
 * Refuses a folder in which an earlier run was interrupted, or that holds anything else (`keys-half-made`).
 */
export const initKeys = async (dir: string, clock: Pick<Clock, 'now'>): Promise<InstallationKeys> => {
  if ((await state(dir)) === 'absent') {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await makeAll(dir, clock.now());
  }
  return loadKeys(dir);
};
