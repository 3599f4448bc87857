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
