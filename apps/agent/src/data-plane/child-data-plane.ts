import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Clock, type Logger, isAppError, isBundled, messageOf } from '#kernel';
import { redactText } from '#observability';
import { type DataPlane, type DataPlaneHooks, type WorkOrder, type WorkResult, failedResult } from './data-plane.port.ts';
import type { ChildMessage, ParentMessage, ParentQuestion, WireError } from './messages.ts';

export interface ChildDataPlaneOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Variables that the child may see; no secret among them. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Limit of the child's main-thread heap in MiB; buffers and workers are bounded by the engine. Default 256. */
  readonly heapMb?: number;
  /** Milliseconds between the polite end and SIGKILL. Default 10,000. */
  readonly graceMs?: number;
  /** File of the child's code. Default: `main` beside this file. */
  readonly entry?: string;
}

const defaultEntry = (): string => fileURLToPath(new URL(`./main${extname(import.meta.url)}`, import.meta.url));

/** First argument of the agent that is one file when it is to be the data plane of one attempt. */
export const dataPlaneRole = 'data-plane';

/** As in `scripts/holdfast`: memory for the next buffer is that of the last one, and more of it goes back to the system. */
const allocator = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '4194304', MALLOC_TRIM_THRESHOLD_: '4194304' } as const;

const moduleFlags = ['--conditions', '-C', '--import'];

/** Flags of this process that its children need to find the same modules (`--flag=value` or `--flag value`); never a debugger's port. */
export const inheritedFlags = (flags: readonly string[]): string[] => flags.flatMap((flag, i) => {
  const [name = '', value] = flag.split('=', 2);
  if (!moduleFlags.includes(name)) return [];
  const given = value ?? flags[i + 1];
  return given === undefined ? [] : [`${name === '-C' ? '--conditions' : name}=${given}`];
});

const wireError = (error: unknown): WireError =>
  isAppError(error)
    ? { code: error.code, kind: error.kind, detail: error.detail, retryable: error.retryable }
    : { code: 'agent-fault', kind: 'internal', detail: messageOf(error), retryable: false };

/** What an end without a result means. */
export const classifyEnd = (code: number | null, signal: NodeJS.Signals | null, output: string): WorkResult => {
  const last = redactText(output.trim().slice(-1_000));
  if (/out of memory|allocation failed/i.test(output)) {
    return failedResult('data-plane-out-of-memory', `The process that moves the data ran out of memory: ${last}`);
  }
  if (signal === 'SIGKILL') {
    return failedResult('data-plane-killed', 'The process that moves the data was killed, perhaps by the kernel for want of memory; look at its log');
  }
  return failedResult('data-plane-crashed', `The process that moves the data ended with ${signal ?? `exit code ${code}`}: ${last || 'it said nothing'}`);
};

/** What an error of starting a process says about the host; retried by the rule of the run like any failure. */
const notStarted = (error: unknown): WorkResult => failedResult(
  'data-plane-not-started',
  `The process that moves the data cannot be started (${messageOf(error)}). Look whether the host has processes, files and memory to spare, and whether the agent's program is whole`,
);

/** How a child is over: as it ended, or the error of one that never ran. */
type ChildEnd = { readonly code: number | null; readonly signal: NodeJS.Signals | null } | { readonly error: Error };

/** Settles when nothing of the child runs. An error of one that does run (a message or a signal that it did not get) is not its end. */
const endOf = (child: ChildProcess): Promise<ChildEnd> => new Promise((resolve) => {
  child.on('error', (error) => { if (child.pid === undefined) resolve({ error }); });
  child.once('close', (code, signal) => resolve({ code, signal }));
});

/** Runs every attempt in a child process of its own, whose memory, keys and worker threads end with it. */
export class ChildDataPlane implements DataPlane {
  private readonly options: ChildDataPlaneOptions;

  constructor(options: ChildDataPlaneOptions) {
    this.options = options;
  }

  async run(order: WorkOrder, hooks: DataPlaneHooks, signal: AbortSignal): Promise<WorkResult> {
    signal.throwIfAborted();
    let child: ChildProcess;
    try {
      child = this.spawn();
    } catch (error) {
      return notStarted(error);
    }
    return this.follow(child, order, { hooks, signal });
  }

  private async follow(child: ChildProcess, order: WorkOrder, { hooks, signal }: { hooks: DataPlaneHooks; signal: AbortSignal }): Promise<WorkResult> {
    let output = '';
    let result: WorkResult | undefined;
    const keep = (chunk: Buffer): void => { output = (output + chunk.toString('utf8')).slice(-8_192); };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.on('message', (message: ChildMessage) => {
      if (message.type === 'ready') this.send(child, { type: 'order', order });
      else if (message.type === 'result') ({ result } = message);
      else this.serve(child, message, hooks);
    });
    child.on('error', (error) => keep(Buffer.from(messageOf(error))));
    const ended = endOf(child);
    const stop = (): void => this.end(child);
    signal.addEventListener('abort', stop, { once: true });
    const end = await ended;
    signal.removeEventListener('abort', stop);
    if (result) return result;
    signal.throwIfAborted();
    const failed = 'error' in end ? notStarted(end.error) : classifyEnd(end.code, end.signal, output);
    this.options.logger.warn('A data plane ended without a result', { run: order.run, code: failed.code, output });
    return failed;
  }

  private spawn(): ChildProcess {
    const { environment, heapMb = 256, entry } = this.options;
    const limits = [`--max-old-space-size=${heapMb}`, '--max-semi-space-size=8'];
    const variables = { ...allocator, ...environment };
    // The agent that is one file starts itself in this role; Node takes no flags there but those of the environment.
    const start = isBundled()
      ? { file: dataPlaneRole, execArgv: [], env: { ...variables, NODE_OPTIONS: limits.join(' ') } }
      : { file: entry ?? defaultEntry(), execArgv: [...inheritedFlags(process.execArgv), ...limits], env: variables };
    return fork(start.file, [], {
      execArgv: start.execArgv,
      env: start.env,
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
  }

  /** Politely, then not. */
  private end(child: ChildProcess): void {
    child.kill('SIGTERM');
    const gone = new AbortController();
    child.once('close', () => gone.abort());
    const { clock, graceMs = 10_000 } = this.options;
    clock.sleep(graceMs, gone.signal).then(() => child.kill('SIGKILL'), () => undefined);
  }

  private send(child: ChildProcess, message: ParentMessage): void {
    // A child that is gone needs no answer; how it went is told by its end.
    if (child.connected) child.send(message, () => undefined);
  }

  private serve(child: ChildProcess, message: Exclude<ChildMessage, { type: 'ready' | 'result' }>, hooks: DataPlaneHooks): void {
    if (message.type === 'progress') return hooks.progress(message.progress);
    if (message.type === 'log') return hooks.log(message.level, message.text);
    const { id, question } = message;
    answer(question, hooks).then(
      (value) => this.send(child, { type: 'answer', id, value }),
      (error: unknown) => this.send(child, { type: 'failure', id, error: wireError(error) }),
    );
  }
}

const answer = (question: ParentQuestion, hooks: DataPlaneHooks): Promise<unknown> => {
  switch (question.method) {
    case 'grants':
      return hooks.grants(question.objects);
    case 'known-chunks':
      return hooks.knownChunks();
    case 'id-key':
      return hooks.idKey();
    case 'packs':
      return hooks.packs(question.after);
  }
};
