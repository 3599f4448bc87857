import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '#kernel';
import { groupCommit } from './group-commit.ts';
import type { Write, WriteOutcome } from './log-writer.ts';

const written = (subject: string, data = '{}'): Write => ({ event: { id: subject, subject, headers: {}, data }, expect: {} });
/** An append of `count` messages to subjects of its own. */
const append = (name: string, count = 2): readonly [Write, ...Write[]] => [written(`${name}.0`), ...Array.from({ length: count - 1 }, (_, index) => written(`${name}.${index + 1}`))];

/** A log that answers when it is told to, and refuses what `refuses` says. */
const slowLog = (refuses: (subjects: readonly string[]) => WriteOutcome | Error | undefined = () => undefined) => {
  const calls: string[][] = [];
  const clock = new FakeClock();
  let last = 0;
  const open = Promise.withResolvers<void>();
  const write = groupCommit(async (writes) => {
    const subjects = writes.map(({ event }) => event.subject);
    calls.push(subjects);
    await open.promise;
    const refused = refuses(subjects);
    if (refused instanceof Error) throw refused;
    if (refused) return refused;
    return { status: 'stored', sequence: (last += writes.length) };
  }, clock);
  return { write, calls, clock, answer: open.resolve };
};

describe('appends that come together', () => {
  it('who comes alone is written at once, as it came', () => {
    const log = slowLog();
    void log.write(append('a'));
    expect(log.calls).toEqual([['a.0', 'a.1']]);
  });

  it('what comes while something is on its way goes together, and each hears where its own last message is', async () => {
    const log = slowLog();
    const outcomes = [log.write(append('a')), log.write(append('b', 3)), log.write(append('c', 1)), log.write(append('d'))];
    log.answer();
    expect(await Promise.all(outcomes)).toEqual([2, 5, 6, 8].map((sequence) => ({ status: 'stored', sequence })));
    expect(log.calls).toEqual([['a.0', 'a.1'], ['b.0', 'b.1', 'b.2', 'c.0', 'd.0', 'd.1']]);
  });

  it.each([[7, [1, 1, 1, 1, 1, 1, 1, 1]], [8, [1, 8]]] as const)('%i of one message each leave in calls of %j messages: a few are not worth a batch', async (count, lengths) => {
    const log = slowLog();
    const outcomes = [log.write(append('first', 1)), ...Array.from({ length: count }, (_, index) => log.write(append(`n${index}`, 1)))];
    log.answer();
    await Promise.all(outcomes);
    expect(log.calls.map(({ length }) => length)).toEqual(lengths);
  });

  it.each([
    ['an expectation that does not hold', { status: 'conflict' } as const], ['an id that is known', { status: 'duplicate' } as const],
  ])('%s is told to the one whose it is; the others are stored', async (_, refused) => {
    const log = slowLog((subjects) => (subjects.includes('c.0') ? refused : undefined));
    const outcomes = ['a', 'b', 'c', 'd'].map((name) => log.write(append(name)));
    log.answer();
    expect((await Promise.all(outcomes)).map(({ status }) => status)).toEqual(['stored', 'stored', refused.status, 'stored']);
  });

  it('what no retry cures is thrown at the one whose fault it is', async () => {
    const log = slowLog((subjects) => (subjects.includes('c.0') ? new Error('append-refused') : undefined));
    const outcomes = ['a', 'b', 'c', 'd'].map((name) => log.write(append(name)));
    log.answer();
    expect((await Promise.allSettled(outcomes)).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  });

  it.each([{ status: 'unknown', cause: 'nobody answered' } as const, { status: 'busy' } as const])('$status holds for all of them, and nothing is written twice', async (refused) => {
    const log = slowLog((subjects) => (subjects.includes('a.0') ? undefined : refused));
    const outcomes = ['a', 'b', 'c'].map((name) => log.write(append(name)));
    log.answer();
    expect((await Promise.all(outcomes)).slice(1)).toEqual([refused, refused]);
    expect(log.calls).toHaveLength(2);
  });

  it('nothing goes together with another write to the same subject, and the order of those stays', async () => {
    const log = slowLog();
    const outcomes = [log.write(append('a')), log.write(append('b')), log.write(append('c')), log.write(append('b')), log.write(append('d'))];
    log.answer();
    await Promise.all(outcomes);
    expect(log.calls).toEqual([['a.0', 'a.1'], ['b.0', 'b.1', 'c.0', 'c.1'], ['b.0', 'b.1', 'd.0', 'd.1']]);
  });

  it('a group has an end, in messages and in bytes', async () => {
    const log = slowLog();
    const outcomes = [log.write(append('a')), ...Array.from({ length: 200 }, (_, index) => log.write(append(`n${index}`)))];
    const large = Array.from({ length: 3 }, (_, index) => log.write([written(`l${index}`, 'x'.repeat(600_000)), written(`m${index}`)]));
    log.answer();
    await Promise.all([...outcomes, ...large]);
    expect(log.calls.map(({ length }) => length)).toEqual([2, 256, 146, 2, 2]);
  });

  it.each([[3, 6], [100, 20]])('after a batch that took %i ms others have %i ms to join the next', async (took, rest) => {
    const log = slowLog();
    const first = log.write(append('a'));
    await log.clock.advance(took);
    log.answer();
    await first;
    await nextTurn();
    const others = [log.write(append('b')), log.write(append('c', 1))];
    await log.clock.advance(rest - 1);
    expect(log.calls).toHaveLength(1);
    await log.clock.advance(1);
    await Promise.all(others);
    expect(log.calls[1]).toEqual(['b.0', 'b.1', 'c.0']);
  });

  it('nobody waits longer when enough have come', async () => {
    const log = slowLog();
    const first = log.write(append('a'));
    await log.clock.advance(5);
    log.answer();
    await first;
    await Promise.all(Array.from({ length: 8 }, (_, index) => log.write(append(`n${index}`))));
    expect(log.calls.map(({ length }) => length)).toEqual([2, 16]);
  });
});
