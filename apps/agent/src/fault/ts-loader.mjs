// Lets a plain Node process run our TypeScript with decorators, which Node's own type stripping cannot: for processes that tests kill.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire, enableCompileCache, registerHooks } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = join(tmpdir(), `holdfast-ts-${process.getuid?.() ?? 0}`);
mkdirSync(cache, { recursive: true, mode: 0o700 });
enableCompileCache(join(cache, 'compiled'));
let ts;

const transpile = (fileName, source) => {
  ts ??= createRequire(import.meta.url)('typescript');
  return ts.transpileModule(source, {
    fileName,
    compilerOptions: {
      target: ts.ScriptTarget.ES2024, module: ts.ModuleKind.ESNext, experimentalDecorators: true, emitDecoratorMetadata: true,
      useDefineForClassFields: false, isolatedModules: true,
    },
  }).outputText;
};

const compiled = (fileName) => {
  const source = readFileSync(fileName, 'utf8');
  const file = join(cache, `${createHash('sha256').update(`1\0${fileName}\0${source}`).digest('hex')}.js`);
  try {
    return readFileSync(file, 'utf8');
  } catch {
    const output = transpile(fileName, source);
    writeFileSync(`${file}.${process.pid}`, output);
    renameSync(`${file}.${process.pid}`, file);
    return output;
  }
};

registerHooks({
  load(url, context, next) {
    if (!url.startsWith('file:') || !url.endsWith('.ts') || url.includes('/node_modules/')) return next(url, context);
    return { format: 'module', source: compiled(fileURLToPath(url)), shortCircuit: true };
  },
});
