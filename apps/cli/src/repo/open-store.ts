import { resolve } from 'node:path';
import { fault } from '#kernel';
import { fsStore, type ObjectStore, s3Store, withRetry } from '#storage';

const s3 = (location: string): ObjectStore => {
  const url = URL.parse(location);
  if (!url?.hostname) throw fault('validation', 'repository-malformed', 'Write a repository in S3 as s3://bucket/prefix, with ?endpoint=https://... where needed');
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
  // The engine has just hashed the very memory it hands over.
  return fsStore(resolve(location), { checkBodies: false });
};
