import { expect, it } from 'vitest';
import { type ServerEvent, serverEvents } from './server-events.ts';

const all = async (...parts: string[]): Promise<ServerEvent[]> => {
  const bytes = async function* () { for (const part of parts) yield new TextEncoder().encode(part); };
  return Array.fromAsync(serverEvents(bytes()));
};

it('events are read whole wherever the stream is cut; comments are not events', async () => {
  const text = 'retry: 2000\n\nevent: lines\nid: 7\ndata: {"a":"ä"}\n\n:\n\nevent: end\ndata: {}\n\n';
  const expected = [{ event: 'lines', id: '7', data: '{"a":"ä"}' }, { event: 'end', id: '7', data: '{}' }];
  expect(await all(text)).toEqual(expected);
  expect(await all(...text)).toEqual(expected);
});

it('an event that was cut off is dropped: it comes again', async () => {
  expect(await all('id: 1\ndata: a\n\nid: 2\ndata: b')).toEqual([{ event: 'message', id: '1', data: 'a' }]);
});
