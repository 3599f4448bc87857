import { globSync, mkdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { homedir } from 'node:os';
import { type Child, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { startSwift, swiftIsInstalled } from './swift.ts';
import { removeTempDir, tempDir } from './temp-dir.ts';
import { waitUntil } from './wait-until.ts';

/** Credentials of the test server: worthless elsewhere. */
const credentials = { accessKeyId: 'test:tester', secretAccessKey: 'testsecret' } as const;
const projectRoot = join(import.meta.dirname, '../../..');

export type S3Program = 'versitygw' | 'minio' | 'swift';

/** A real S3 server on loopback. Path style; create buckets with names of at least three characters. */
export interface TestS3 {
  readonly program: S3Program;
  /** `http://127.0.0.1:port`. */
  readonly endpoint: string;
  readonly region: 'us-east-1';
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** True where `If-None-Match: *` and `x-amz-checksum-sha256` are honoured, also in presigned requests. */
  readonly conditionalWrites: boolean;
  stop(): Promise<void>;
}

const isFile = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;

const findProgram = (name: string): string | undefined => {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean), join(homedir(), 'go/bin')];
  return [...folders.map((folder) => join(folder, name)), ...globSync(join(projectRoot, `.tools/**/${name}`))].find(isFile);
};

interface Found { readonly program: S3Program; readonly file: string }

/** `TEST_S3_SERVER=swift` asks for one of them, to try what it lacks. */
const findServer = (): Found | undefined => {
  const wanted = process.env['TEST_S3_SERVER'];
  for (const program of ['versitygw', 'minio'] as const) {
    const file = wanted === undefined || wanted === program ? findProgram(program) : undefined;
    if (file) return { program, file };
  }
  return swiftIsInstalled() && (wanted ?? 'swift') === 'swift' ? { program: 'swift', file: '' } : undefined;
};

/** Which S3 server tests would use: versitygw or minio (PATH, ~/go/bin, .tools), else Debian's swift; undefined when there is none. */
export const s3Program = (): S3Program | undefined => findServer()?.program;

const start = ({ program, file }: Found, dir: string, port: number): Promise<Child> => {
  const data = join(dir, 'data');
  const address = `127.0.0.1:${port}`;
  const { accessKeyId, secretAccessKey } = credentials;
  mkdirSync(data);
  if (program === 'swift') return startSwift({ dir, port, accessKeyId, secretAccessKey });
  if (program === 'minio') {
    const environmentOf = { MINIO_ROOT_USER: accessKeyId, MINIO_ROOT_PASSWORD: secretAccessKey, HOME: dir };
    return startChild({ command: file, args: ['server', '--address', address, data], ready: /API:/, environment: environmentOf });
  }
  const args = ['--port', address, '--access', accessKeyId, '--secret', secretAccessKey, '--keep-alive', 'posix', data];
  return startChild({ command: file, args, ready: /IAM service configured|single account mode/ });
};

/** Starts a real S3 server of its own for the calling test file. Throws when `s3Program()` is undefined. */
export const startS3 = async (): Promise<TestS3> => {
  const found = findServer();
  if (!found) throw new Error('No S3 server on this machine: put versitygw or minio on PATH, or install Debian\'s swift packages');
  const [dir, port] = [await tempDir('s3'), await freePort()];
  const child = await start(found, dir, port);
  const endpoint = `http://127.0.0.1:${port}`;
  await waitUntil(() => fetch(endpoint, { signal: AbortSignal.timeout(10_000) }), 60_000);
  return {
    program: found.program, endpoint, region: 'us-east-1', credentials, conditionalWrites: found.program !== 'swift',
    stop: async () => {
      await child.end('SIGTERM');
      removeTempDir(dir);
    },
  };
};
