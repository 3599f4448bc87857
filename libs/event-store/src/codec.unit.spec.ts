import { describe, expect, it } from 'vitest';
import { type StoredEvent, eventCodec, eventId } from './codec.ts';
import type { EventContext } from './event.ts';
import { eventTypes } from './event-types.ts';

const context: EventContext = { time: '2026-01-01T00:00:00.000Z', actor: 'user:a', commandId: 'cmd_1' };
const place = { aggregate: { type: 'task', id: 'task_1' }, revision: 3, index: 1 };
const old = eventCodec(eventTypes({ Named: [] }), 'inst_a');
const today = eventCodec(eventTypes({ Named: [(data) => ({ ...data, labels: [] }), (data) => ({ ...data, owner: 'nobody' })] }), 'inst_a');
const stored = (more: Partial<StoredEvent> = {}): StoredEvent => ({ ...old.encode(place, { type: 'Named', data: { name: 'x' } }, context), sequence: 7, ...more });

describe('the codec', () => {
  it('writes the headers of the envelope', () => {
    expect(old.encode(place, { type: 'Named', data: { name: 'x' } }, { ...context, from: '10.0.0.1', traceparent: '00-a-b-01' })).toEqual({
      id: eventId('cmd_1', 1), subject: 'hf.events.task.task_1', data: '{"name":"x"}',
      headers: {
        'Nats-Msg-Id': eventId('cmd_1', 1), 'Hf-Type': 'Named', 'Hf-Version': '1', 'Hf-Time': context.time, 'Hf-Revision': '3', 'Hf-Actor': 'user:a',
        'Hf-From': '10.0.0.1', 'Hf-Command': 'cmd_1', 'Hf-Installation': 'inst_a', 'traceparent': '00-a-b-01',
      },
    });
  });
  it('an id follows from command and place, and from nothing else', () => {
    expect(eventId('cmd_1', 1)).toBe(eventId('cmd_1', 1));
    expect(new Set([eventId('cmd_1', 1), eventId('cmd_1', 0), eventId('cmd_11', 1), eventId('cmd_', 11)]).size).toBe(4);
  });
  it('shows old shapes in today\'s', () => {
    expect(today.decode(stored()).event).toEqual({ type: 'Named', data: { name: 'x', labels: [], owner: 'nobody' } });
    const second = stored();
    expect(today.decode({ ...second, headers: { ...second.headers, 'Hf-Version': '2' } }).event.data).toEqual({ name: 'x', owner: 'nobody' });
  });
  it.each(['0', '4', '1.5', 'x', ''])('never guesses at version "%s"', (version) => {
    const event = stored();
    expect(() => today.decode({ ...event, headers: { ...event.headers, 'Hf-Version': version } })).toThrow('unknown-event');
  });
  it('never skips a type that it does not know', () => {
    expect(() => eventCodec(eventTypes({}), 'inst_a').decode(stored())).toThrow('unknown-event');
  });
  it('refuses events of another installation', () => {
    expect(() => eventCodec(eventTypes({ Named: [] }), 'inst_b').decode(stored())).toThrow('foreign-event');
  });
  it.each([{ subject: 'hf.events.task' }, { subject: 'hf.commands.a.b' }, { data: '{' }, { data: '7' }, { data: 'null' }, { headers: {} }])('%j is no event', (more) => {
    expect(() => old.decode(stored(more))).toThrow('malformed-event');
  });
  it('no header can smuggle in another one', () => {
    expect(() => old.encode(place, { type: 'Named', data: {} }, { ...context, from: '1.1.1.1\r\nHf-Actor: user:root' })).toThrow('invalid-event-header');
  });
  it('a type declared by two aggregates is a fault', () => {
    expect(() => eventTypes({ A: [] }, { A: [] })).toThrow('event-declared-twice');
  });
});
