import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Child, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { waitUntil } from './wait-until.ts';

const run = promisify(execFile);
const python = '/usr/bin/python3';
const servers = ['account', 'container', 'object', 'proxy'] as const;

/** True where Debian's packages swift-proxy, swift-account, swift-container and swift-object are installed. */
export const swiftIsInstalled = (): boolean =>
  [python, ...servers.map((name) => `/usr/bin/swift-${name}-server`)].every((file) => existsSync(file));

/** Where a swift of one disk listens and who may use it. */
export interface SwiftOptions {
  readonly dir: string;
  readonly port: number;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

// Swift reads /etc/swift/swift.conf unless it is told another folder before its other modules are loaded.
const launcher = `
import sys
from swift.common import utils
utils.set_swift_dir(sys.argv[1])
from swift.common.wsgi import run_wsgi
sys.exit(run_wsgi(sys.argv[2], sys.argv[3]))
`;

// One ring for each storage server, as swift-ring-builder makes them, in one process instead of nine.
const ringMaker = `
import sys
from swift.common.ring import RingBuilder
for name, port in zip(sys.argv[2::2], sys.argv[3::2]):
    place = {'ip': '127.0.0.1', 'port': int(port), 'replication_ip': '127.0.0.1', 'replication_port': int(port)}
    builder = RingBuilder(2, 1, 0)
    builder.add_dev({'region': 1, 'zone': 1, 'device': 'disk', 'weight': 1.0, 'meta': '', **place})
    builder.rebalance()
    builder.get_ring().save(sys.argv[1] + '/' + name + '.ring.gz')
`;

// A loaded machine may be slow; an update of a listing that comes too late would be left for a daemon that does not run here.
const patience = `conn_timeout = 20
node_timeout = 60
container_update_timeout = 60`;

const storageServer = (name: string, port: number, dir: string): string => `
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = ${userInfo().username}
swift_dir = ${dir}
devices = ${join(dir, 'devices')}
mount_check = false
fallocate_reserve = 0
log_address = /nonexistent
${patience}
[pipeline:main]
pipeline = ${name}-server
[app:${name}-server]
use = egg:swift#${name}
`;

const proxyServer = ({ dir, port, accessKeyId, secretAccessKey }: SwiftOptions): string => `
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = ${userInfo().username}
swift_dir = ${dir}
log_address = /nonexistent
${patience}
[pipeline:main]
pipeline = catch_errors gatekeeper cache listing_formats s3api tempauth symlink versioned_writes proxy-server
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
force_swift_request_proxy_log = false
[filter:tempauth]
use = egg:swift#tempauth
user_${accessKeyId.replace(':', '_')} = ${secretAccessKey} .admin
[filter:symlink]
use = egg:swift#symlink
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
`;

const accepts = (port: number): Promise<boolean> => new Promise((resolve) => {
  const socket = connect(port, '127.0.0.1', () => resolve(true));
  socket.once('error', () => resolve(false)).once('connect', () => socket.destroy());
});

/**
 * Starts Debian's swift with its S3 interface on one folder. It honours neither `If-None-Match: *` (501) nor
 * `x-amz-checksum-sha256`; `accessKeyId` is of the form `account:user`.
 */
export const startSwift = async (options: SwiftOptions): Promise<Child> => {
  const { dir } = options;
  await mkdir(join(dir, 'devices/disk'), { recursive: true });
  await writeFile(join(dir, 'swift.conf'), '[swift-hash]\nswift_hash_path_suffix = test\n[storage-policy:0]\nname = only\ndefault = yes\n');
  await writeFile(join(dir, 'launch.py'), launcher);
  const placed = [];
  for (const name of servers) {
    const port = name === 'proxy' ? options.port : await freePort();
    const file = join(dir, `${name}-server.conf`);
    await writeFile(file, name === 'proxy' ? proxyServer(options) : storageServer(name, port, dir));
    placed.push({ name, port, file });
  }
  // The proxy reads the rings at its start.
  const rings = placed.filter(({ name }) => name !== 'proxy').flatMap(({ name, port }) => [name, String(port)]);
  await run(python, ['-c', ringMaker, dir, ...rings], { timeout: 60_000 });
  const children = await Promise.all(placed.map(async ({ name, port, file }) => {
    const child = await startChild({ command: python, args: [join(dir, 'launch.py'), dir, file, `${name}-server`], ready: /^/ });
    await waitUntil(() => accepts(port), 60_000);
    return child;
  }));
  const proxy = children.at(-1);
  return {
    pid: proxy?.pid ?? 0,
    output: () => children.map((child) => child.output()).join('\n'),
    end: async (signal) => {
      await Promise.all(children.map((child) => child.end(signal)));
    },
  };
};
