// Makes the agent one executable file: bundles the built agent with its worker threads and puts them into the project's own Node.
// usage: node scripts/build-agent.mjs [--out DIR] [--arch amd64|arm64] [--node FILE] [--version VERSION] [--level 1..19]
// Without --arch it is made for this machine. For the other architecture the Node of the same version comes from the npm registry, as this
// project's own did, into .tools/; where there is no registry, give it with --node.
// Writes holdfast-agent-linux-<arch>, the same compressed as .zst, and .sha256 with the sums of both. Needs `npm run build` before.
import { createHash } from 'node:crypto';
import { chmodSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { constants, zstdCompressSync } from 'node:zlib';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
const agent = join(root, 'dist/apps/agent/src');
const threads = ['backup/content-worker', 'restore/restore-worker', 'verify/check-worker'].map((path) => (
  { in: join(root, 'dist/libs/repository/src', `${path}.modules.js`), out: basename(path) }));
// What Nest and the storage library load only when somebody uses it; the agent uses NATS and grants.
const unused = [
  '@nats-io/transport-node', '@nestjs/websockets', '@nestjs/websockets/*', '@nestjs/platform-express', '@nestjs/platform-socket.io', '@grpc/*', 'kafkajs', 'mqtt', 'amqplib',
  'amqp-connection-manager', 'ioredis', '@mikro-orm/core', 'typeorm', '@nestjs/typeorm', 'class-transformer/storage', 'pino-pretty', 'bufferutil', 'utf-8-validate',
];

const { values } = parseArgs({ options: { out: { type: 'string' }, arch: { type: 'string' }, node: { type: 'string' }, version: { type: 'string' }, level: { type: 'string' } } });
const here = { x64: 'amd64', arm64: 'arm64' }[process.arch];
const arch = values.arch ?? here;
const fail = (text) => { console.error(text); process.exit(1); };
if (!['amd64', 'arm64'].includes(arch)) fail(`There is no agent for ${arch ?? process.arch}; amd64 and arm64 there are`);
if (!existsSync(join(agent, 'single-file.js'))) fail('The agent is not built yet; run npm run build first');

const version = values.version ?? JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
/** `e_machine` of the ELF header. */
const machines = { 0x3e: 'amd64', 0xb7: 'arm64' };
const machineOf = (file) => {
  const header = Buffer.alloc(20);
  const handle = openSync(file, 'r');
  readSync(handle, header);
  closeSync(handle);
  return header.toString('latin1', 0, 4) === '\x7fELF' ? machines[header.readUInt16LE(18)] : undefined;
};
const requireMachine = (file) => {
  if (machineOf(file) !== arch) fail(`${file} is no program for ${arch} (its ELF header says ${machineOf(file) ?? 'something else'})`);
  return file;
};

/** The Node of this version for the architecture. npm checks what it fetches against the registry's sums. */
const nodeFor = () => {
  if (values.node) return resolve(values.node);
  if (arch === here) return process.execPath;
  const name = `node-linux-${{ amd64: 'x64', arm64: 'arm64' }[arch]}`;
  const folder = join(root, '.tools', `${name}-${process.version}`);
  const file = join(folder, 'package', 'bin', 'node');
  if (existsSync(file)) return file;
  console.error(`Fetching ${name}@${process.versions.node} ...`);
  const fresh = `${folder}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', fresh, `${name}@${process.versions.node}`], { cwd: fresh, encoding: 'utf8' }).trim().split('\n').at(-1);
  execFileSync('tar', ['-xzf', join(fresh, packed), '-C', fresh, 'package/bin/node', 'package/LICENSE']);
  rmSync(join(fresh, packed));
  renameSync(fresh, folder);
  return file;
};

const node = requireMachine(nodeFor());
const room = mkdtempSync(join(tmpdir(), 'holdfast-build-'));
/** The programs as they were before `bundle.mjs` put them into files of their own: here everything comes into one. */
const whole = {
  name: 'whole',
  setup: (own) => own.onResolve({ filter: /\/main\.js$/ }, ({ path, resolveDir }) =>
    (resolveDir.startsWith(agent) ? { path: resolve(resolveDir, path.replace(/main\.js$/, 'main.modules.js')) } : undefined)),
};
try {
  const common = { bundle: true, platform: 'node', target: 'node26', minifySyntax: true, keepNames: true, legalComments: 'none', logLevel: 'error', external: unused, plugins: [whole] };
  await build({
    ...common, entryPoints: [join(agent, 'single-file.js')], outfile: join(room, 'agent.cjs'), format: 'cjs',
    // Code in the file has no address; what asks for one wants a name to load built-in modules by.
    define: { 'import.meta.url': '"file:///holdfast-agent.js"', HOLDFAST_BUILD_VERSION: JSON.stringify(version) },
  });
  await build({ ...common, entryPoints: threads, outdir: join(room, 'threads'), format: 'esm' });
  const out = resolve(values.out ?? join(root, 'dist/agent'));
  mkdirSync(out, { recursive: true });
  const name = `holdfast-agent-linux-${arch}`;
  const made = join(room, name);
  writeFileSync(join(room, 'sea.json'), JSON.stringify({
    main: join(room, 'agent.cjs'), mainFormat: 'commonjs', executable: node, output: made,
    disableExperimentalSEAWarning: true, useCodeCache: false, execArgv: ['--disable-warning=ExperimentalWarning'], execArgvExtension: 'env',
    assets: Object.fromEntries(threads.map(({ out }) => [out, join(room, 'threads', `${out}.js`)])),
  }));
  execFileSync(process.execPath, ['--build-sea', join(room, 'sea.json')], { stdio: ['ignore', 'ignore', 'inherit'] });
  chmodSync(requireMachine(made), 0o755);
  const files = { [name]: readFileSync(made) };
  files[`${name}.zst`] = zstdCompressSync(files[name], { params: { [constants.ZSTD_c_compressionLevel]: Number(values.level ?? 12) } });
  const sums = Object.entries(files).map(([file, bytes]) => `${createHash('sha256').update(bytes).digest('hex')}  ${file}\n`).join('');
  const place = (file, bytes, mode) => {
    const beside = join(out, `${file}.${process.pid}.new`);
    writeFileSync(beside, bytes, { mode });
    renameSync(beside, join(out, file));
  };
  place(name, files[name], 0o755);
  place(`${name}.zst`, files[`${name}.zst`], 0o644);
  place(`${name}.version`, `${version}\n`, 0o644);
  place(`${name}.sha256`, sums, 0o644);
  console.log(`${join(out, name)}: version ${version}, ${Math.round(files[name].length / 2 ** 20)} MiB, ${Math.round(files[`${name}.zst`].length / 2 ** 20)} MiB compressed`);
} finally {
  rmSync(room, { recursive: true, force: true });
}
