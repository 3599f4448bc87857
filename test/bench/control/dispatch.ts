import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, credsAuthenticator } from 'nats';

/** What is driven. */
export interface Driven {
  /** `http://127.0.0.1:port` of a master. */
  readonly url: string;
  /** API key that may run tasks. */
  readonly key: string;
  /** Started one after the other, again and again. */
  readonly tasks: readonly string[];
  /** When the agent got the command of each run, monotonic milliseconds. */
  readonly held: ReadonlyMap<string, number>;
}

/** Milliseconds from sending `POST /tasks/{id}:run` to its answer, and to the agent holding the command. */
export interface DispatchLatency {
  readonly rate: number;
  readonly sent: number;
  readonly accepted: number;
  readonly held: number;
  readonly answer: Percentiles;
  readonly dispatch: Percentiles;
}

/** Of measured milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
}

const percentiles = (times: number[]): Percentiles => {
  times.sort((a, b) => a - b);
  const at = (part: number): number => Number((times[Math.floor((times.length - 1) * part)] ?? Number.NaN).toFixed(2));
  return { p50: at(0.5), p99: at(0.99), longest: at(1) };
};

interface Started {
  readonly run: string;
  readonly sent: number;
  readonly answered: number;
}

const post = async ({ url, key }: Driven, task: string): Promise<Started[]> => {
  const sent = performance.now();
  const answer = await fetch(`${url}/api/v1/tasks/${task}:run`, {
    method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: '{}', signal: AbortSignal.timeout(10_000),
  });
  const text = await answer.text();
  const answered = performance.now();
  if (!answer.ok) throw new Error(`${answer.status} ${text}`);
  return (JSON.parse(text) as { runs: string[] }).runs.map((run) => ({ run, sent, answered }));
};

const longestWait = 10_000;

/** Sends `rate` requests a second for `seconds`, whether the answers come or not, and waits until the agents hold what was accepted. */
export const dispatchLatency = async (driven: Driven, rate: number, seconds: number): Promise<DispatchLatency> => {
  const total = rate * seconds;
  const start = performance.now();
  const failures: unknown[] = [];
  const posts: Promise<Started[]>[] = [];
  for (let i = 0; i < total; i++) {
    await delay(Math.max(0, start + (i * 1000) / rate - performance.now()));
    posts.push(post(driven, driven.tasks[i % driven.tasks.length] ?? '').catch((error: unknown) => {
      failures.push(error);
      return [];
    }));
  }
  const started = (await Promise.all(posts)).flat();
  if (started.length === 0) throw new Error('No run was accepted', { cause: failures[0] });
  const giveUp = performance.now() + longestWait;
  while (started.some(({ run }) => !driven.held.has(run)) && performance.now() < giveUp) await delay(50);
  const held = started.filter(({ run }) => driven.held.has(run));
  return {
    rate, sent: total, accepted: started.length, held: held.length,
    answer: percentiles(started.map(({ sent, answered }) => answered - sent)),
    dispatch: percentiles(held.map(({ run, sent }) => (driven.held.get(run) ?? Number.NaN) - sent)),
  };
};

/** A stack that runs already, watched on the bus with credentials of the account CONTROL. */
export interface RunningStack {
  readonly url: string;
  readonly key: string;
  readonly task: string;
  readonly nats: string;
  readonly creds: string;
}

/** Watches the acknowledgements by which the stack's agents say that they hold a command. */
export const watchStack = async ({ url, key, task, nats, creds }: RunningStack): Promise<Driven & { close(): Promise<void> }> => {
  const connection = await connect({ servers: nats, authenticator: credsAuthenticator(new Uint8Array(await readFile(creds))) });
  const manager = await connection.jetstreamManager();
  const held = new Map<string, number>();
  connection.subscribe('$JS.ACK.COMMANDS.>', {
    callback: (_error, message) => {
      const at = performance.now();
      const name = async (): Promise<void> => {
        const command = await manager.streams.getMessage('COMMANDS', { seq: Number(message.subject.split('.')[5]) });
        const run = command.header.get('Nats-Msg-Id').split('.')[0] ?? '';
        if (!held.has(run)) held.set(run, at);
      };
      void name().catch(() => undefined);
    },
  });
  await connection.flush();
  return { url, key, tasks: [task], held, close: () => connection.close() };
};
