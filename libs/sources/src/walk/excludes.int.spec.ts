import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { excludeMatcher } from './excludes.ts';

const git = spawnSync('git', ['--version']).status === 0;

/** Whether each path is left out, walking down as the source does: what is below an excluded directory is never asked about. */
const ours = (patterns: readonly string[], paths: readonly string[]): boolean[] => {
  const excluded = excludeMatcher(patterns);
  return paths.map((path) => {
    const parts = Buffer.from(path).toString('latin1').replace(/\/$/, '').split('/');
    return parts.some((_, i) => excluded(parts.slice(0, i + 1).join('/'), i < parts.length - 1 || path.endsWith('/')));
  });
};

describe.runIf(git)('excludes', () => {
  let repository: string;
  beforeAll(() => {
    repository = mkdtempSync(join(tmpdir(), 'excludes-'));
    execFileSync('git', ['init', '-q', repository]);
  });
  afterAll(() => rmSync(repository, { recursive: true }));

  /** Git looks at the files themselves to tell directories (a slash at the end of a question is part of the name for it). */
  const gits = (patterns: readonly string[], paths: readonly string[]): boolean[] => {
    for (const path of paths) {
      mkdirSync(join(repository, path.endsWith('/') ? path : dirname(path)), { recursive: true });
      if (!path.endsWith('/')) writeFileSync(join(repository, path), '');
    }
    writeFileSync(join(repository, '.gitignore'), patterns.map((one) => `${one}\n`).join(''));
    const asking = paths.map((path) => path.replace(/\/$/, ''));
    const arguments_ = ['-c', 'core.ignoreCase=false', 'check-ignore', '--no-index', '-z', '--stdin'];
    const asked = spawnSync('git', arguments_, { cwd: repository, input: asking.map((path) => `${path}\0`).join('') });
    if (asked.status !== 0 && asked.status !== 1) throw new Error(asked.stderr.toString());
    const ignored = new Set(asked.stdout.toString().split('\0'));
    return asking.map((path) => ignored.has(path));
  };

  const paths = [
    'a/', 'a/b/', 'a/b/c/', 'a/b/c/d.log', 'b', 'x.log', 'a/x.log', 'keep.log', 'a/keep.log', 'node_modules/', 'node_modules/m/i.js', 'src/',
    'src/node_modules/', 'src/node_modules/x', 'build/', 'src/build', 'doc/frotz/', 'a/doc/frotz/', 'foo/', 'foo/bar', 'src/foo', 'Foo', 'FOO.LOG',
    'a b', ' a', '#x', '!x', 'a[1]', 'a1', 'a\\b', 'file.tar.gz', '.hidden', 'a/.hidden', 'é/', 'é/ü.log', 'src/é', 'x/y/z/', 'x/y/z/w', 'abc', 'abbc',
    'a*c', 'trailing ', 'trailing', 'logs/', 'logs/debug.log', 'logs/monday/', 'logs/monday/debug.log', 'logs/monday/foo.bar', 'deep/a/b/c/d/e', 'a-c', 'adc',
  ];

  it.each([
    [['*.log']], [['*.log', '!keep.log']], [['/a']], [['a/']], [['/a/']], [['a/b']], [['/a/b']], [['**/b']], [['a/**']], [['a/**/d.log']], [['**/node_modules/']],
    [['node_modules']], [['build/']], [['doc/frotz/']], [['/doc/frotz']], [['foo/*']], [['foo/*', '!foo/bar']], [['foo/', '!foo/bar']], [['*', '!*/', '!*.log']],
    [['/*', '!/foo', '/foo/*', '!/foo/bar']], [['a?c']], [['a[0-9]']], [['a[!0-9]c']], [['a\\[1\\]']], [['\\#x']], [['\\!x']], [['#x']], [['!x']], [['a\\*c']],
    [['trailing ']], [['trailing\\ ']], [['a b']], [[' a']], [['']], [['/']], [['.hidden']], [['.*']], [['é']], [['é/*.log']], [['ü.log']], [['logs/**/debug.log']],
    [['logs/*day/debug.log']], [['**']], [['*/']], [['x/*/z']], [['x/**/w']], [['foo']], [['Foo']], [['*.LOG']], [['deep/**/e']], [['a/b/', '!a/b/c']],
    [['?']], [['[a-c]']], [['a\\\\b']], [['**/a/**']], [['*.tar.*']], [['abc', '!abc', 'a*']], [['/**/c']], [['a**c']],
  ])('mean what git takes them to mean: %j', (patterns) => {
    expect(Object.fromEntries(ours(patterns, paths).map((hit, i) => [paths[i], hit])))
      .toEqual(Object.fromEntries(gits(patterns, paths).map((hit, i) => [paths[i], hit])));
  });

  it('mean what git takes them to mean, for made-up lists', () => {
    const piece = fc.constantFrom('a', 'b', 'c', '*', '?', '**', 'ab', '[ab]', '*.log', 'a*');
    const pattern = fc.tuple(fc.constantFrom('', '!', '/'), fc.array(piece, { minLength: 1, maxLength: 3 }), fc.constantFrom('', '/'))
      .map(([start, pieces, end]) => start + pieces.join('/') + end);
    const somePaths = ['1/', 'c/', 'c/a', 'c/b/', 'c/b/c', 'ab/', 'ab/x.log', 'c/c/ab', 'aa/a/b/a.log', 'aa/a/', 'x.log', 'c/d/', 'ac/ab', 'ac/b/'];
    fc.assert(fc.property(fc.array(pattern, { minLength: 1, maxLength: 4 }), (patterns) => {
      expect(ours(patterns, somePaths)).toEqual(gits(patterns, somePaths));
    }), { numRuns: 200 });
  });

  it('compare names that are not UTF-8 byte by byte', () => {
    const excluded = excludeMatcher(['*.log', '/é*']);
    expect(excluded('\xff\xfe.log', false)).toBe(true);
    expect(excluded('\xff\xfe.txt', false)).toBe(false);
    expect(excluded(Buffer.from('é\u{1f5c4}').toString('latin1'), true)).toBe(true);
    expect(excluded('\xe9', false)).toBe(false); // é in another encoding is another name.
  });
});

describe('a list of excludes', () => {
  it('may be empty, and then leaves nothing out', () => {
    expect(excludeMatcher([])('anything', true)).toBe(false);
  });
});
