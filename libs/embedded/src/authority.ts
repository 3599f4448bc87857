import 'reflect-metadata';
import { createPrivateKey, webcrypto } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import {
  AuthorityKeyIdentifierExtension, BasicConstraintsExtension, ExtendedKeyUsage, ExtendedKeyUsageExtension, KeyUsageFlags, KeyUsagesExtension,
  SubjectAlternativeNameExtension, SubjectKeyIdentifierExtension, X509Certificate, X509CertificateGenerator, cryptoProvider,
} from '@peculiar/x509';
import { type Clock, fault } from '#kernel';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const day = 86_400_000;
const authorityDays = 3650;
/** The most that clients accept of a server's certificate; it is made anew at each start. */
const serverDays = 397;
/** Clocks of other hosts may be behind. */
const skew = day;

/** The installation's own certificate authority. */
export interface Authority {
  /** PEM: what clients trust. Not secret. */
  readonly certificate: string;
  readonly key: webcrypto.CryptoKey;
}

/** A certificate and its key, both PEM. */
export interface ServerCertificate {
  readonly certificate: string;
  readonly key: string;
}

const pemOf = async (key: webcrypto.CryptoKey): Promise<string> => {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' }).toString();
};

const keyFromPem = (pem: string): Promise<webcrypto.CryptoKey> => {
  const der = createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' });
  return webcrypto.subtle.importKey('pkcs8', der, algorithm, true, ['sign']);
};

const newKeys = (): Promise<webcrypto.CryptoKeyPair> => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
const serial = (): string => Buffer.from(webcrypto.getRandomValues(new Uint8Array(16))).toString('hex').replace(/^./, '1');
const validity = (now: number, days: number): { notBefore: Date; notAfter: Date } => ({ notBefore: new Date(now - skew), notAfter: new Date(now + days * day) });

const makeAuthority = async (now: number): Promise<{ certificate: string; key: string }> => {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=Holdfast', serialNumber: serial(), ...validity(now, authorityDays), signingAlgorithm: algorithm, keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true), new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: await pemOf(keys.privateKey) };
};

const readOptional = (file: string): Promise<string | undefined> =>
  readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw fault('validation', 'authority-unreadable', `The certificate authority's file ${file} cannot be read (${error.code}); correct its permissions`, { cause: error });
  });

const writeWhole = async (file: string, text: string): Promise<void> => {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await chmod(`${file}.new`, 0o600);
  await rename(`${file}.new`, file);
};

/**
 * The authority of the installation whose keys lie in `dir` (`ca.pem`, `ca.key`, both 0600), made at the first call. The key is written
 * first: a certificate that is there has its key. Throws `authority-incomplete` when one of the files was lost.
 */
export const installationAuthority = async (dir: string, clock: Pick<Clock, 'now'>): Promise<Authority> => {
  cryptoProvider.set(webcrypto);
  const files = { certificate: join(dir, 'ca.pem'), key: join(dir, 'ca.key') };
  const [certificate, key] = await Promise.all([readOptional(files.certificate), readOptional(files.key)]);
  if (certificate && key) return { certificate, key: await keyFromPem(key) };
  if (certificate) throw fault('validation', 'authority-incomplete', `The key of the certificate authority (${files.key}) is missing; restore it from the recovery kit`);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const made = await makeAuthority(clock.now());
  await writeWhole(files.key, made.key);
  await writeWhole(files.certificate, made.certificate);
  return { certificate: made.certificate, key: await keyFromPem(made.key) };
};

/** A certificate for a server that is reached under these names and addresses, valid for 397 days from `now` (ms). */
export const serverCertificate = async (authority: Authority, names: readonly string[], now: number): Promise<ServerCertificate> => {
  cryptoProvider.set(webcrypto);
  const issuer = new X509Certificate(authority.certificate);
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.create({
    subject: 'CN=Holdfast server', issuer: issuer.subject, serialNumber: serial(), ...validity(now, serverDays), signingAlgorithm: algorithm,
    signingKey: authority.key, publicKey: keys.publicKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true), new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value }))),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: await pemOf(keys.privateKey) };
};
