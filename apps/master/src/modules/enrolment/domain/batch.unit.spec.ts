import { describe, expect, it } from 'vitest';
import { foldName } from '../../names/index.ts';
import { checkBatch, namesOf } from './batch.decide.ts';

const check = (text: string, taken: Record<string, string> = {}) =>
  checkBatch(namesOf(text.split('\n')), new Map(Object.entries(taken).map(([name, node]) => [foldName(name), node])));
const faultsOf = (text: string, taken?: Record<string, string>) => {
  const checked = check(text, taken);
  return checked.ok ? [] : (checked.error.fields ?? []);
};

describe('a batch of names', () => {
  it('is what was pasted, one a line, without empty lines and remarks', () => {
    expect(check('# web\nweb-1\r\n\n  web 2  \n# db\ndb.1\n')).toEqual({
      ok: true, value: [{ line: 2, name: 'web-1' }, { line: 4, name: 'web 2' }, { line: 6, name: 'db.1' }],
    });
  });
  it('is refused whole, with every line that is in the way', () => {
    const text = 'web-1\nweb-2\n\nWEB-1\n-x\ndb\nweb-1';
    expect(check(text, { 'Web-2': 'node_w', db: 'node_d' })).toMatchObject({ ok: false, error: { kind: 'conflict', code: 'batch-refused' } });
    expect(faultsOf(text, { 'Web-2': 'node_w', db: 'node_d' })).toEqual([
      { field: 'names[1]', detail: expect.stringMatching(/^line 2: "web-2" is the name of node_w/) as string },
      { field: 'names[3]', detail: 'line 4: "WEB-1" stands on line 1 already' },
      { field: 'names[4]', detail: expect.stringMatching(/^line 5: "-x" is no name/) as string },
      { field: 'names[5]', detail: expect.stringContaining('node_d') as string },
      { field: 'names[6]', detail: 'line 7: "web-1" stands on line 1 already' },
    ]);
  });
  it('holds one to fifty names', () => {
    const names = (count: number): string => Array.from({ length: count }, (_, i) => `n${i}`).join('\n');
    expect(check(names(50)).ok).toBe(true);
    expect(check(names(51))).toMatchObject({ ok: false, error: { kind: 'validation', detail: 'These are 51 names; a batch takes 50 at most' } });
    expect(check('\n#\n')).toMatchObject({ ok: false, error: { kind: 'validation', code: 'batch-refused' } });
  });
  it('takes no name that could be more than a name in a script', () => {
    for (const bad of ["a'b", 'a;b', 'a$b', 'a"b', 'a`b', 'a/b', 'x'.repeat(65)]) expect(faultsOf(bad)).toHaveLength(1);
  });
});
