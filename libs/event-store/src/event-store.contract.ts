import { beforeEach, describe, expect, it } from 'vitest';
import { type Result, type Refusal, FakeClock, err, ok, refuse } from '#kernel';
import { commandHandler } from './command-handler.ts';
import type { Decider } from './decider.ts';
import type { EventStore } from './event-store.port.ts';
import type { AggregateRef, DomainEvent, EventContext } from './event.ts';
import { defineEvents, eventTypes } from './event-types.ts';

type Opened = DomainEvent<'ContractOpened', { readonly owner: string }>;
type Paid = DomainEvent<'ContractPaid', { readonly cents: number; readonly note?: string }>;
type AccountEvent = Opened | Paid;
type AccountCommand = { readonly type: 'open'; readonly owner: string } | { readonly type: 'pay'; readonly cents: number };
type AccountState = { readonly owner: string | undefined; readonly cents: number };

/** The event types that the suite appends; whoever makes the store declares them. */
export const contractEvents = eventTypes(defineEvents<AccountEvent>({ ContractOpened: [], ContractPaid: [] }));

const account: Decider<AccountState, AccountCommand, AccountEvent> = {
  aggregate: 'account',
  initialState: { owner: undefined, cents: 0 },
  decide: (command, state): Result<readonly AccountEvent[], Refusal> => {
    if (command.type === 'open') {
      return state.owner === undefined
        ? ok([{ type: 'ContractOpened', data: { owner: command.owner } }])
        : err(refuse('conflict', 'open-already', 'It is open already'));
    }
    return state.owner === undefined
      ? err(refuse('not-found', 'no-account', 'Open it first'))
      : ok([{ type: 'ContractPaid', data: { cents: command.cents } }]);
  },
  evolve: (state, event) => (event.type === 'ContractOpened' ? { ...state, owner: event.data.owner } : { ...state, cents: state.cents + event.data.cents }),
};

let count = 0;
const context = (commandId = `cmd-${process.pid}-${++count}`): EventContext => ({ time: '2026-01-01T00:00:00.000Z', actor: 'user:a', commandId });
const fresh = (): AggregateRef => ({ type: 'account', id: `a${process.pid}-${++count}` });
const opened = (owner = 'a'): Opened => ({ type: 'ContractOpened', data: { owner } });
const paid = (cents: number): Paid => ({ type: 'ContractPaid', data: { cents } });
const asNew = (aggregate: AggregateRef, ...events: DomainEvent[]) => ({ aggregate, expectedSequence: 0, expectedRevision: 0, events });

/** What every event store promises. `make` is called before each test; stores may share a log. */
export const eventStoreContract = (name: string, make: () => Promise<EventStore>): void => {
  describe(`${name} keeps the promises of an event store`, () => {
    let store: EventStore;
    beforeEach(async () => { store = await make(); });

    it('an aggregate that nobody created is empty', async () => {
      expect(await store.load(fresh())).toEqual({ events: [], sequence: 0, revision: 0 });
    });

    it('of many appends at once only the one that is out of date is refused, and each knows its own events', async () => {
      const known = fresh();
      await store.append([asNew(known, opened())], context());
      const refs = Array.from({ length: 40 }, (_, index) => (index === 20 ? known : fresh()));
      const done = await Promise.allSettled(refs.map((ref, index) => store.append([asNew(ref, opened(), paid(index)), asNew(fresh(), opened())], context())));
      expect(done.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([20]);
      expect(done[20]).toMatchObject({ reason: { code: 'version-conflict' } });
      for (const [index, one] of done.entries()) {
        const { events } = await store.load(refs[index] ?? known);
        expect(events).toEqual(one.status === 'fulfilled' ? one.value.slice(0, 2) : [expect.objectContaining({ revision: 1 })]);
      }
    });

    it('what was appended is loaded, in order, with its context', async () => {
      const [ref, by] = [fresh(), { ...context(), from: '10.0.0.1', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }];
      const appended = await store.append([asNew(ref, opened(), paid(5), { type: 'ContractPaid', data: { cents: 7, note: 'grüße \u0000 ☃' } })], by);
      expect(appended.map((event) => event.revision)).toEqual([1, 2, 3]);
      const loaded = await store.load(ref);
      expect(loaded.events).toEqual(appended);
      expect(loaded).toMatchObject({ sequence: appended[2]?.sequence, revision: 3 });
      expect(loaded.events[2]?.context).toEqual(by);
    });

    it('events after a position are loaded alone', async () => {
      const ref = fresh();
      const appended = await store.append([asNew(ref, opened(), paid(1), paid(2), paid(3))], context());
      const at = (index: number) => ({ sequence: appended[index]?.sequence ?? 0, revision: index + 1 });
      expect((await store.load(ref, at(1))).events).toEqual(appended.slice(2));
      expect((await store.load(ref, at(2))).events).toEqual(appended.slice(3));
      expect(await store.load(ref, at(3))).toEqual({ events: [], ...at(3) });
    });

    it('two writers of one position: one wins, the other is told so', async () => {
      const ref = fresh();
      const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => store.append([asNew(ref, opened(`w${i}`))], context())));
      expect(outcomes.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
      for (const one of outcomes) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'version-conflict', retryable: true });
      expect((await store.load(ref)).events).toHaveLength(1);
    });

    it('a batch over several aggregates is appended whole, with contiguous sequences', async () => {
      const [a, b] = [fresh(), fresh()];
      const events = await store.append([asNew(a, opened(), paid(1)), asNew(b, opened())], context());
      const [first] = events;
      expect(events.map((event) => event.sequence - (first?.sequence ?? 0))).toEqual([0, 1, 2]);
      expect((await store.load(b)).events).toEqual(events.slice(2));
    });

    it('a batch with one stale expectation appends nothing at all', async () => {
      const [a, b] = [fresh(), fresh()];
      await store.append([asNew(b, opened())], context());
      await expect(store.append([asNew(a, opened()), asNew(b, opened())], context())).rejects.toMatchObject({ code: 'version-conflict' });
      await expect(store.append([asNew(b, paid(1)), asNew(a, opened())], context())).rejects.toMatchObject({ code: 'version-conflict' });
      expect((await store.load(a)).events).toEqual([]);
      expect((await store.load(b)).revision).toBe(1);
    });

    it('a command appended again is the success of the first time, whatever came after it', async () => {
      const [ref, by] = [fresh(), context()];
      const first = await store.append([asNew(ref, opened())], by);
      expect(await store.append([asNew(ref, opened())], by)).toEqual(first);
      const [{ sequence } = { sequence: 0 }] = first;
      await store.append([{ aggregate: ref, expectedSequence: sequence, expectedRevision: 1, events: [paid(1)] }], context());
      expect(await store.append([asNew(ref, opened())], { ...by, time: '2027-01-01T00:00:00.000Z' })).toEqual(first);
      expect((await store.load(ref)).revision).toBe(2);
    });

    it('a batch appended again is the success of the first time', async () => {
      const [a, b, by] = [fresh(), fresh(), context()];
      const first = await store.append([asNew(a, opened(), paid(1)), asNew(b, opened())], by);
      expect(await store.append([asNew(a, opened(), paid(1)), asNew(b, opened())], by)).toEqual(first);
      expect((await store.load(a)).revision).toBe(2);
    });

    it('an empty append appends nothing', async () => {
      expect(await store.append([asNew(fresh())], context())).toEqual([]);
    });

    it('an event type that nobody declared is refused before anything is written', async () => {
      const ref = fresh();
      await expect(store.append([asNew(ref, { type: 'Nobody', data: {} })], context())).rejects.toMatchObject({ code: 'unknown-event' });
      expect((await store.load(ref)).revision).toBe(0);
    });

    it('ids that would reach another subject are refused', async () => {
      for (const id of ['a.b', '*', '>', '', 'a b', 'é']) await expect(store.load({ type: 'account', id })).rejects.toMatchObject({ code: 'invalid-aggregate' });
    });
  });
  handlerContract(name, make);
};

const handlerContract = (name: string, make: () => Promise<EventStore>): void => {
  describe(`a command handler on ${name}`, () => {
    const handlerOf = (store: EventStore) => commandHandler(store, new FakeClock());

    it('a hundred commands at once on one aggregate all count, none twice', async () => {
      const [store, ref] = [await make(), fresh()];
      const handlers = [handlerOf(store), commandHandler(store, { now: () => 0, monotonic: () => performance.now(), sleep: () => Promise.resolve() }, { attempts: 100 })];
      await handlers[0]!.execute(context(), (unit) => unit.decide(account, ref.id, { type: 'open', owner: 'a' }));
      await Promise.all(Array.from({ length: 100 }, () =>
        handlers[1]!.execute(context(), (unit) => unit.decide(account, ref.id, { type: 'pay', cents: 1 }))));
      const total = await handlers[0]!.execute(context(), async (unit) => ok((await unit.load(account, ref.id)).state.cents));
      expect(total).toMatchObject({ ok: true, value: { value: 100, events: [], sequence: 0 } });
    });

    it('a refusal is returned, appends nothing, and is as fresh as an append', async () => {
      const [store, ref] = [await make(), fresh()];
      const [one, other] = [handlerOf(store), handlerOf(store)];
      const pay = () => one.execute(context(), (unit) => unit.decide(account, ref.id, { type: 'pay', cents: 1 }));
      expect(await pay()).toMatchObject({ ok: false, error: { code: 'no-account' } });
      await other.execute(context(), (unit) => unit.decide(account, ref.id, { type: 'open', owner: 'b' }));
      expect(await pay()).toMatchObject({ ok: true });
      expect(await other.execute(context(), (unit) => unit.decide(account, ref.id, { type: 'open', owner: 'b' }))).toMatchObject({ ok: false });
    });

    it('one decision over two aggregates stages, sees what it staged, and appends one batch', async () => {
      const [store, a, b] = [await make(), fresh(), fresh()];
      const done = await handlerOf(store).execute(context(), async (unit) => {
        await unit.decide(account, a.id, { type: 'open', owner: 'a' });
        await unit.decide(account, a.id, { type: 'pay', cents: 3 });
        const second = await unit.decide(account, b.id, { type: 'open', owner: 'b' });
        const { state, revision } = await unit.load(account, a.id);
        return second.ok ? ok({ state, revision }) : second;
      });
      expect(done).toMatchObject({ ok: true, value: { value: { state: { owner: 'a', cents: 3 }, revision: 2 } } });
      if (done.ok) expect(done.value.events.map((event) => `${event.event.type} ${event.revision}`)).toEqual(['ContractOpened 1', 'ContractPaid 2', 'ContractOpened 1']);
    });

    it('an error value of the work appends nothing of what was staged', async () => {
      const [store, ref] = [await make(), fresh()];
      const refused = await handlerOf(store).execute(context(), async (unit) => {
        await unit.decide(account, ref.id, { type: 'open', owner: 'a' });
        return err(refuse('refused', 'changed-my-mind', 'No'));
      });
      expect(refused).toMatchObject({ ok: false, error: { code: 'changed-my-mind' } });
      expect((await store.load(ref)).revision).toBe(0);
    });

    it('a command executed again, on whichever master, is the success of the first time', async () => {
      const [store, ref, by] = [await make(), fresh(), context()];
      const [one, other] = [handlerOf(store), handlerOf(store)];
      const open = (handler: typeof one) => handler.execute(by, (unit) => unit.decide(account, ref.id, { type: 'open', owner: 'a' }));
      const first = await open(one);
      await one.execute(context(), (unit) => unit.decide(account, ref.id, { type: 'pay', cents: 9 }));
      for (const handler of [one, other]) {
        const again = await open(handler);
        expect(again).toMatchObject({ ok: true });
        expect(again.ok && again.value.events).toEqual(first.ok && first.value.events);
      }
      expect((await store.load(ref)).revision).toBe(2);
    });
  });
};
