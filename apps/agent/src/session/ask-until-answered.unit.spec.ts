import { describe, expect, it } from 'vitest';
import { FakeClock, silentLogger } from '#kernel';
import { waitUntil } from '#testing';
import { ScriptedAsk } from '../testing.ts';
import { askUntilAnswered } from './ask-until-answered.ts';

const asking = () => {
  const [client, clock, ending] = [new ScriptedAsk(), new FakeClock(), new AbortController()];
  const answer = askUntilAnswered({ client, clock, logger: silentLogger, signal: ending.signal }, 'sync', { held: [] });
  const askedTimes = (times: number) => waitUntil(() => client.asked.length === times && clock.sleeping === 1);
  return { client, clock, ending, answer, askedTimes };
};

describe('a question that nobody answers', () => {
  it('is asked again at once when the bus is back, and then at short intervals', async () => {
    const { client, clock, answer, askedTimes } = asking();
    await askedTimes(1);
    await clock.advance(100_000);
    await waitUntil(() => clock.sleeping === 1);
    const before = client.asked.length;
    client.back();
    await askedTimes(before + 1);
    client.script = (_method, { id }) => ({ id, status: 'ok', value: 'yes' });
    await clock.advance(500);
    await expect(answer).resolves.toMatchObject({ value: 'yes' });
    expect(new Set(client.asked.map(({ question }) => question.id)).size).toBe(1);
  });

  it('ends with the attempt', async () => {
    const { ending, answer, askedTimes } = asking();
    await askedTimes(1);
    ending.abort(new Error('over'));
    await expect(answer).rejects.toThrow('over');
  });
});
