import { AppError, type Refusal, fault } from '#kernel';
import type { Output } from '../output.ts';

/** One line of the master's program: what a job has done, its error, or a line of its log. */
interface Line {
  readonly message_type?: string;
  readonly [field: string]: unknown;
}

const count = (value: unknown): string => (Array.isArray(value) ? value.length : Number(value)).toLocaleString('en-US');

/** What was done, in a sentence. */
const sentences: Readonly<Record<string, (done: Line) => string>> = {
  'projections-rebuilt': ({ models, events }) => `${count(models)} read models were made anew from ${count(events)} events; the masters use them from now on.`,
  'log-check': ({ archived, last }) => `The log and its archive agree: the archive ends at event ${count(archived)}, the log at ${count(last)}.`,
  'log-reappended': ({ compared, written }) => `The log is whole again: ${count(compared)} events were compared, ${count(written)} written anew. The masters go on by themselves.`,
  'session-secret-changed': ({ from }) => `The session secret is now the one of the ${String(from)}. Start every master with it; everybody logs in anew.`,
};

const parse = (line: string): Line | undefined => {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Line) : undefined;
  } catch {
    return undefined;
  }
};

/** Tells people in words, and programs in one object, what a job of the master's program writes. */
export class JobOutput {
  private error: AppError | undefined;

  constructor(private readonly output: Output) {}

  /** Takes a line of the job's standard output. */
  done(line: string): void {
    const { message_type: type = 'job', ...fields } = parse(line) ?? { text: line };
    this.output.result(type, fields, sentences[type]?.({ ...fields }) ?? line);
  }

  /** Takes a line of the job's standard error: its log, and in the end its error. */
  said(line: string): void {
    const said = parse(line);
    if (said?.message_type === 'error') {
      const { internal, errors, ...refusal } = said as unknown as Refusal & { errors?: Refusal['fields']; internal?: string };
      this.error = new AppError(errors ? { ...refusal, fields: errors } : refusal, internal === undefined ? {} : { internal });
    } else if (said === undefined) this.output.note(line);
    else if (said['level'] === 'warn' || said['level'] === 'error') this.output.note(`${String(said['msg'])}${this.reasonOf(said)}`);
    else this.output.progress(`${String(said['msg'])}${said['events'] === undefined ? '' : ` (${count(said['events'])} events)`}`);
  }

  /** The job's process has ended. Throws what it failed with. */
  end(exitCode: number | null): void {
    if (exitCode === 0) return;
    // Whoever runs this on the master's host may know it.
    if (this.error?.internal !== undefined) this.output.note(this.error.internal);
    throw this.error ?? fault('internal', 'job-ended', `The master's program ended with ${exitCode ?? 'a signal'} and said no more; run it again with HOLDFAST_LOG_LEVEL=debug`);
  }

  private reasonOf({ reason, error }: Line): string {
    const why = reason ?? error;
    return typeof why === 'string' ? `: ${why}` : '';
  }
}
