import { type NatsConnection, connect } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventsStreamConfig } from '#event-store';
import { type TestNats, startNats } from '#testing';
import { openLogSource } from './log-source.ts';

let nats: TestNats;
let connection: NatsConnection;
beforeAll(async () => {
  nats = await startNats();
  connection = await connect({ servers: nats.url });
  await (await connection.jetstreamManager()).streams.add(eventsStreamConfig(1));
});
afterAll(async () => {
  await connection.close();
  await nats.stop();
});

describe('a source of the log', () => {
  it('ends at once when it was told to stop before, while or after it was opened', async () => {
    for (const when of ['before', 'while', 'after'] as const) {
      const stopping = new AbortController();
      if (when === 'before') stopping.abort();
      const opening = openLogSource(connection, 1, stopping.signal);
      if (when === 'while') stopping.abort();
      const source = await opening;
      const next = source.next(10);
      if (when === 'after') stopping.abort();
      expect(await next, when).toBeUndefined();
      await source.close();
    }
  });
});
