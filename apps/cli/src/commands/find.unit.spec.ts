import { expect, it } from 'vitest';
import { exitCodeOf } from '../exit-codes.ts';
import { findOne } from './find.ts';

const nodes = [{ id: 'node_aaab', name: 'web' }, { id: 'node_aaac', name: 'db' }, { id: 'node_bbbb', name: 'node_aaab-copy' }];

const codeOf = (work: () => unknown): { code: unknown; exit: number } => {
  try {
    return { code: work(), exit: 0 };
  } catch (error) {
    return { code: (error as { code: string }).code, exit: exitCodeOf(error) };
  }
};

it('a thing is found by id, by name and by the beginning of its id, with or without the prefix', () => {
  expect(findOne(nodes, 'node_aaab', 'node').name).toBe('web');
  expect(findOne(nodes, 'db', 'node').id).toBe('node_aaac');
  expect(findOne(nodes, 'node_b', 'node').id).toBe('node_bbbb');
  expect(findOne(nodes, 'bb', 'node').id).toBe('node_bbbb');
});

it('what could mean several is refused, never guessed', () => {
  expect(codeOf(() => findOne(nodes, 'aaa', 'node'))).toEqual({ code: 'node-ambiguous', exit: 2 });
});

it('nothing, and what every id begins with, means nobody, even where there is only one', () => {
  for (const text of ['', 'node_', 'n', 'node']) expect(codeOf(() => findOne(nodes.slice(0, 1), text, 'node'))).toEqual({ code: 'node-not-found', exit: 4 });
});

it('what is not there ends with exit code 4', () => {
  expect(codeOf(() => findOne(nodes, 'mail', 'node'))).toEqual({ code: 'node-not-found', exit: 4 });
});
