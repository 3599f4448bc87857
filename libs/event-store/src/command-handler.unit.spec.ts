import { describe, expect, it } from 'vitest';
import { type Clock, err, fault, ok } from '#kernel';
import { commandHandler } from './command-handler.ts';
import type { EventStore } from './event-store.port.ts';
import { type DomainEvent } from './event.ts';
import type { Decider } from './decider.ts';
import { deciderSpecification, memoryEventStore, contractEvents } from './testing.ts';

type Opened = DomainEvent<'ContractOpened', { readonly owner: string }>;
const decider: Decider<{ readonly owners: readonly string[] }, { readonly owner: string }, Opened> = {
  aggregate: 'account',
  initialState: { owners: [] },
  decide: ({ owner }, { owners }) => (owners.includes(owner) ? err({ code: 'known', kind: 'conflict', detail: 'Known' }) : ok([{ type: 'ContractOpened', data: { owner } }])),
  evolve: ({ owners }, event) => ({ owners: [...owners, event.data.owner] }),
};
const slept: number[] = [];
const clock: Clock = { now: () => 0, monotonic: () => 0, sleep: async (ms) => void slept.push(ms) };
const context = { time: '2026-01-01T00:00:00.000Z', actor: 'user:a', commandId: 'c' };
const failing = (...errors: Error[]): EventStore & { appends: number } => {
  const store = memoryEventStore(contractEvents);
  const wrapped = { ...store, appends: 0, append: (...args: Parameters<EventStore['append']>) => {
    const error = errors[wrapped.appends++];
    return error ? Promise.reject(error) : store.append(...args);
  } };
  return wrapped;
};
const conflict = fault('conflict', 'version-conflict', 'x', { retryable: true });
const open = (store: EventStore) => commandHandler(store, clock, { attempts: 4 }).execute(context, (unit) => unit.decide(decider, 'a', { owner: 'o' }));

describe('the command handler', () => {
  it('decides again after a version conflict', async () => {
    const store = failing(conflict, conflict);
    expect(await open(store)).toMatchObject({ ok: true, value: { sequence: 1 } });
    expect(store.appends).toBe(3);
  });
  it('gives up after a bounded number of attempts', async () => {
    const store = failing(...Array.from({ length: 9 }, () => conflict));
    await expect(open(store)).rejects.toMatchObject({ code: 'version-conflict' });
    expect(store.appends).toBe(4);
    expect(Math.max(...slept)).toBeLessThanOrEqual(100);
  });
  it.each(['log-unavailable', 'log-diverged', 'append-refused'])('tries nothing again after %s', async (code) => {
    const store = failing(fault('unavailable', code, 'x'));
    await expect(open(store)).rejects.toMatchObject({ code });
    expect(store.appends).toBe(1);
  });
});

describe('what the command handler knows already', () => {
  const named = (commandId: string) => ({ ...context, commandId });
  const counting = () => {
    const store = memoryEventStore(contractEvents);
    const counted = { ...store, loads: 0, appends: 0, load: (...args: Parameters<EventStore['load']>) => {
      counted.loads++;
      return store.load(...args);
    }, append: (...args: Parameters<EventStore['append']>) => {
      counted.appends++;
      return store.append(...args);
    } };
    return counted;
  };
  const add = (handler: ReturnType<typeof commandHandler>, owner: string, id = 'a') =>
    handler.execute(named(`${id} ${owner}`), (unit) => unit.decide(decider, id, { owner }));

  it('is not asked for again when the append proves it', async () => {
    const store = counting();
    const handler = commandHandler(store, clock);
    for (const owner of ['a', 'b', 'c']) await add(handler, owner);
    expect(store).toMatchObject({ loads: 1, appends: 3 });
  });
  it('proves a refusal and a read by asking the log', async () => {
    const store = counting();
    const [one, other] = [commandHandler(store, clock), commandHandler(store, clock)];
    await add(one, 'a');
    await add(other, 'b');
    expect(await one.execute(named('x'), (unit) => unit.decide(decider, 'a', { owner: 'b' }))).toMatchObject({ ok: false, error: { code: 'known' } });
    await add(other, 'c');
    const seen = await one.execute(named('y'), async (unit) => ok((await unit.load(decider, 'a')).state.owners));
    expect(seen).toMatchObject({ ok: true, value: { value: ['a', 'b', 'c'] } });
  });
  it('never lets a decision stand that read an old state beside the one it appends to', async () => {
    const store = counting();
    const [one, other] = [commandHandler(store, clock), commandHandler(store, clock)];
    await add(one, 'a', 'read');
    await add(other, 'b', 'read');
    const decided = await one.execute(named('x'), async (unit) => {
      const { state } = await unit.load(decider, 'read');
      return unit.decide(decider, 'written', { owner: state.owners.join('+') });
    });
    expect(decided).toMatchObject({ ok: true, value: { value: [{ data: { owner: 'a+b' } }] } });
  });
  it('decides again when work throws over an old state, and throws over the newest', async () => {
    const store = counting();
    const [one, other] = [commandHandler(store, clock), commandHandler(store, clock)];
    await add(one, 'a');
    await add(other, 'b');
    const needs = (owner: string) => one.execute(named(`needs ${owner}`), async (unit) => {
      const { state } = await unit.load(decider, 'a');
      if (!state.owners.includes(owner)) throw new Error('missing');
      return ok(state.owners.length);
    });
    expect(await needs('b')).toMatchObject({ ok: true, value: { value: 2 } });
    await expect(needs('z')).rejects.toThrow('missing');
  });
  it('is brought up to date by the events of others, so that an append is not lost', async () => {
    const store = counting();
    const [one, other] = [commandHandler(store, clock), commandHandler(store, clock)];
    await add(one, 'a');
    const by = await add(other, 'b');
    one.observe(by.ok ? by.value.events : []);
    await add(one, 'c');
    expect(store).toMatchObject({ loads: 2, appends: 3 });
  });
  it('a new id is not asked for, and an id that was not new after all costs one lost append', async () => {
    const store = counting();
    const [one, other] = [commandHandler(store, clock), commandHandler(store, clock)];
    const create = (handler: ReturnType<typeof commandHandler>, owner: string) => handler.execute(named(owner), (unit) => {
      unit.expectNew(decider, 'n');
      return unit.decide(decider, 'n', { owner });
    });
    await create(one, 'a');
    expect(store.loads).toBe(0);
    expect(await create(other, 'b')).toMatchObject({ ok: true, value: { events: [{ revision: 2 }] } });
    expect(await create(commandHandler(store, clock), 'b')).toMatchObject({ ok: true, value: { events: [{ revision: 2 }] } });
    expect(store.all()).toHaveLength(2);
  });
  it('a part of the work that refuses takes back what it staged, and the rest stands', async () => {
    const store = counting();
    const decided = await commandHandler(store, clock).execute(named('x'), async (unit) => {
      await unit.decide(decider, 'a', { owner: 'a' });
      const part = await unit.attempt(async () => {
        await unit.decide(decider, 'a', { owner: 'b' });
        await unit.decide(decider, 'b', { owner: 'b' });
        return unit.decide(decider, 'a', { owner: 'a' });
      });
      return ok(part.ok);
    });
    expect(decided).toMatchObject({ ok: true, value: { value: false, events: [{ event: { data: { owner: 'a' } } }] } });
    expect(store.all()).toHaveLength(1);
  });
});

describe('a decider specification', () => {
  const { given } = deciderSpecification(decider);
  const opened = (owner: string): Opened => ({ type: 'ContractOpened', data: { owner } });
  it('speaks of events', () => {
    given().when({ owner: 'a' }).then(opened('a'));
    given(opened('a')).when({ owner: 'a' }).thenRefused('known');
    given(opened('a')).when({ owner: 'b' }).thenState((state) => expect(state.owners).toEqual(['a', 'b']));
  });
  it('fails for a wrong expectation and for a decider that mutates its state', () => {
    expect(() => given().when({ owner: 'a' }).then(opened('b'))).toThrow();
    const mutating = { ...decider, evolve: (state: { owners: readonly string[] }, event: Opened) => { (state.owners as string[]).push(event.data.owner); return state; } };
    expect(() => deciderSpecification(mutating).given(opened('a'))).toThrow(TypeError);
  });
});
