import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { s3Program, startS3, type TestS3 } from '#testing';
import { sha256Of } from '../bytes.ts';
import { objectStoreContract } from '../testing/object-store.contract.ts';
import { s3Client, type S3Location } from './s3-client.ts';
import { s3Store } from './s3.adapter.ts';

const program = s3Program();
const hello = Buffer.from('hello');
const put = (location: S3Location) => s3Store(location).put('name', [hello], { sha256: sha256Of([hello]) });

let started: Promise<TestS3> | undefined;
const prepare = async (bucket: string): Promise<{ server: TestS3; location: S3Location }> => {
  const server = await (started ??= startS3());
  const location = { bucket, endpoint: server.endpoint, region: server.region, credentials: server.credentials, prefix: 'some/where/' };
  await s3Client(location).send(new CreateBucketCommand({ Bucket: bucket }));
  return { server, location };
};

afterAll(async () => (await started)?.stop());

describe.runIf(program)(`against ${program}`, () => {
  objectStoreContract('the S3 store', async () => {
    const { location } = await prepare('contract');
    const store = s3Store({ ...location, pageSize: 16 });
    return { store, stop: async () => store.close() };
  }, { listed: 40, atomicCreate: program !== 'swift' });

  describe('the S3 store', () => {
    let server: TestS3;
    let location: S3Location;
    beforeAll(async () => { ({ server, location } = await prepare('errors')); });

    it('tells a wrong credential, a missing bucket and a dead server apart', async () => {
      await expect(put({ ...location, credentials: { accessKeyId: 'test:tester', secretAccessKey: 'wrong' } }))
        .rejects.toMatchObject({ code: 'storage-denied', retryable: false });
      await expect(put({ ...location, bucket: 'nowhere' })).rejects.toMatchObject({ code: 'storage-bucket-missing', retryable: false });
      await expect(put({ ...location, endpoint: 'http://127.0.0.1:9' })).rejects.toMatchObject({ code: 'storage-unavailable', retryable: true });
    });

    it('knows whether the server refuses a second write by itself', async () => {
      const store = s3Store(location);
      expect(store.conditionalWrites()).toBe('unknown');
      await store.put('conditional', [hello], { sha256: sha256Of([hello]) });
      expect(store.conditionalWrites()).toBe(server.conditionalWrites ? 'yes' : 'no');
      expect(await store.put('conditional', [hello], { sha256: sha256Of([hello]) })).toBe('exists');
      store.close();
    });
  });
});
