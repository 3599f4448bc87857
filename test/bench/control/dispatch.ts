import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, credsAuthenticator } from 'nats';

/** A running stack to drive. */
export interface RunningStack {
  /** `http://127.0.0.1:port` of a master. */
  readonly url: string;
  /** API key or session token that may run tasks. */
  readonly key: string;
  readonly task: string;
  /** Where and with which credentials (account CONTROL) the bus is watched. */
  readonly nats: string;
  readonly creds: string;
}

/** Milliseconds from sending `POST /tasks/{id}:run` to the acknowledgement by which the agent says that it holds the command. */
export interface DispatchLatency {
  readonly sent: number;
  readonly accepted: number;
  readonly held: number;
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
}

const post = async ({ url, key, task }: RunningStack, onRun: (run: string, sent: number) => void): Promise<void> => {
  const sent = performance.now();
  const answer = await fetch(`${url}/api/v1/tasks/${task}:run`, {
    method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: '{}', signal: AbortSignal.timeout(10_000),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status} ${text}`);
  for (const run of new Set(text.match(/run_[0-9a-z]{20}/g))) onRun(run, sent);
};

/** Sends `rate` requests a second for `seconds`, watching the acknowledgements of commands on the bus. */
export const dispatchLatency = async (stack: RunningStack, rate: number, seconds: number): Promise<DispatchLatency> => {
  const creds = new Uint8Array(await readFile(stack.creds));
  const connection = await connect({ servers: stack.nats, authenticator: credsAuthenticator(creds) });
  const [sentAt, heldAt, acks] = [new Map<string, number>(), new Map<string, number>(), new Map<number, number>()];
  connection.subscribe('$JS.ACK.COMMANDS.>', {
    callback: (_error, message) => {
      const sequence = Number(message.subject.split('.')[5]);
      if (!acks.has(sequence)) acks.set(sequence, performance.now());
    },
  });
  await connection.flush();
  const total = rate * seconds;
  const start = performance.now();
  const failures: unknown[] = [];
  const posts: Promise<void>[] = [];
  for (let i = 0; i < total; i++) {
    await delay(Math.max(0, start + (i * 1000) / rate - performance.now()));
    posts.push(post(stack, (run, sent) => sentAt.set(run, sent)).catch((error: unknown) => void failures.push(error)));
  }
  await Promise.all(posts);
  for (let waited = 0; acks.size < sentAt.size && waited < 100; waited++) await delay(100);
  const manager = await connection.jetstreamManager();
  for (const [sequence, at] of acks) {
    const message = await manager.streams.getMessage('COMMANDS', { seq: sequence });
    const run = message.header.get('Nats-Msg-Id').split('.')[0] ?? '';
    if (sentAt.has(run)) heldAt.set(run, at);
  }
  await connection.close();
  if (sentAt.size === 0) throw new Error('No run was accepted', { cause: failures[0] });
  const times = [...heldAt].map(([run, at]) => at - (sentAt.get(run) ?? at)).sort((a, b) => a - b);
  const at = (part: number): number => Number((times[Math.floor((times.length - 1) * part)] ?? Number.NaN).toFixed(2));
  return { sent: total, accepted: sentAt.size, held: heldAt.size, p50: at(0.5), p99: at(0.99), longest: at(1) };
};
