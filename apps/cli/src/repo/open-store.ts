import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type AppError, fault } from '#kernel';
import { fsStore, type ObjectStore, s3Store, withRetry } from '#storage';

const malformed = (detail: string): AppError => fault('validation', 'repository-malformed', detail);

const s3 = (location: string): ObjectStore => {
  const url = URL.parse(location);
  if (!url?.hostname) throw malformed('Write a repository in S3 as s3://bucket/prefix, with ?endpoint=https://... where needed');
  const prefix = url.pathname.replace(/^\/+|\/+$/g, '');
  const endpoint = url.searchParams.get('endpoint');
  const region = url.searchParams.get('region');
  return withRetry(s3Store({
    bucket: url.hostname, ...(prefix ? { prefix: `${prefix}/` } : {}), ...(endpoint ? { endpoint } : {}), ...(region ? { region } : {}),
  }));
};

/** The store of `--repository`: a folder, or `s3://bucket/prefix?endpoint=...&region=...` with the SDK's own credentials. */
export const openStore = (location: string): ObjectStore => {
  if (location.startsWith('s3:')) return s3(location);
  if (location === '') throw malformed('--repository names nothing; give a folder, or s3://bucket/prefix');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(location)) throw malformed(`${location} is no place for a repository; give a folder, or s3://bucket/prefix`);
  if (statSync(location, { throwIfNoEntry: false })?.isDirectory() === false) throw malformed(`${location} is a file; a repository is a folder`);
  // The engine has just hashed the very memory it hands over.
  return fsStore(resolve(location), { checkBodies: false });
};
