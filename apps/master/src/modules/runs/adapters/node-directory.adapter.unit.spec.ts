import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '#event-store';
import { FakeClock } from '#kernel';
import type { EventsListener } from '#projections';
import type { NodeLookup, NodeView } from '../../nodes/index.ts';
import { LookupNodeDirectory } from './node-directory.adapter.ts';

const view = (change: Partial<NodeView>): NodeView =>
  ({ id: 'node_a', name: 'a', labels: {}, slots: 2, drained: false, disabled: false, enrolled: true, online: true, ...change });

const directory = () => {
  const rows = { asked: 0, node: view({}) as NodeView | undefined, reading: () => Promise.resolve() };
  let listener: EventsListener = () => undefined;
  const lookup = { find: async () => {
    rows.asked++;
    const { node } = rows;
    await rows.reading();
    return node;
  } } as unknown as NodeLookup;
  const clock = new FakeClock();
  const facts = new LookupNodeDirectory(lookup, { onEvents: (given) => {
    listener = given;
    return () => undefined;
  } }, clock);
  const change = (type: string, node: Partial<NodeView>, id = 'node_a'): void => {
    rows.node = view(node);
    listener([{ aggregate: { type, id } } as RecordedEvent]);
  };
  return { rows, facts, change, clock };
};

describe('the directory of nodes', () => {
  it('keeps what it read until an event of the node or its presence', async () => {
    const { rows, facts, change } = directory();
    await facts.find('node_a');
    expect(await facts.find('node_a')).toMatchObject({ drained: false, online: true });
    expect(rows.asked).toBe(1);
    change('node', { drained: true });
    expect(await facts.find('node_a')).toMatchObject({ drained: true });
    change('presence', { online: false, offlineSince: new Date(5) });
    expect(await facts.find('node_a')).toMatchObject({ online: false, offlineSince: 5 });
    change('run', { online: true });
    expect(await facts.find('node_a')).toMatchObject({ online: false });
  });
  it('keeps nothing for long that no event told of: rows that a crashed database showed for a moment do not stay', async () => {
    const { rows, facts, clock } = directory();
    rows.node = view({ online: false });
    await facts.find('node_a');
    rows.node = view({});
    await clock.advance(5_000);
    expect(await facts.find('node_a')).toMatchObject({ online: true });
  });
  it('does not keep what was read while an event came', async () => {
    const { rows, facts, change } = directory();
    rows.reading = async () => {
      rows.reading = () => Promise.resolve();
      change('node', { drained: true });
    };
    expect(await facts.find('node_a')).toMatchObject({ drained: false });
    expect(await facts.find('node_a')).toMatchObject({ drained: true });
  });
  it('asks again for a node that was not there', async () => {
    const { rows, facts } = directory();
    rows.node = undefined;
    expect(await facts.find('node_a')).toBeUndefined();
    rows.node = view({});
    expect(await facts.find('node_a')).toMatchObject({ slots: 2 });
  });
});
