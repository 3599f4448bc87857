import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Clock } from '#kernel';
import { DatabaseCopy } from './database-copy.ts';
import { type Build, type StagedOrder, UpgradeFile, fingerprint } from './upgrade-file.ts';

/** Exit code of a served version that wants to be started anew: another one is staged. */
export const restartCode = 75;
/** Trials of one order; those that were broken off by a kill or a power cut count too. */
const mostTries = 3;
const pollMs = 250;
const graceMs = 10_000;

export interface LaunchParts {
  readonly stateDir: string;
  /** The installed file, which this process was started from. */
  readonly installed: string;
  /** Milliseconds that a new version has to come online. */
  readonly trialMs: number;
  readonly clock: Clock;
  readonly say: (line: string) => void;
  /** Makes this process that program; does not return. */
  readonly become: (file: string, args: readonly string[]) => void;
}

/** `serve`: the installed file itself is to serve. */
export type LaunchEnd = 'serve' | { readonly exitCode: number };
/** How a trial ended. `settled`: the record says what comes next. */
type TrialEnd = 'settled' | { readonly exitCode: number };

/** How a child ended, as a shell counts it. */
const codeOf = (child: ChildProcess): number => child.exitCode ?? (child.signalCode === null ? 1 : 128 + constants.signals[child.signalCode]);

/**
 * Decides which version of the agent runs, tries a staged one, and puts the old one back when it does not come online: that is, when
 * it does not write into the record, in time, that the masters have answered it. It is the installed file that does this, and it can
 * be killed at any moment: the next start reads the record.
 */
export class Launcher {
  private readonly parts: LaunchParts;
  private readonly record: UpgradeFile;
  private readonly copy: DatabaseCopy;
  private child: ChildProcess | undefined;
  private stopped: NodeJS.Signals | undefined;

  constructor(parts: LaunchParts) {
    this.parts = parts;
    this.record = new UpgradeFile(parts.stateDir);
    this.copy = new DatabaseCopy(parts.stateDir);
  }

  /** Ends the version that is being tried, and then this process. */
  stop(signal: NodeJS.Signals): void {
    this.stopped = signal;
    this.child?.kill(signal);
  }

  /** Resolves when this process is to serve or to end. */
  async run(): Promise<LaunchEnd> {
    for (;;) {
      this.heedInstalled();
      const { current, order } = this.record.read();
      if (order?.stage === 'waiting' || order?.stage === 'trying') {
        const end = await this.tryOut(order);
        if (end !== 'settled') return end;
        continue;
      }
      if (this.stopped !== undefined) return { exitCode: 0 };
      if (!current) return 'serve';
      if (this.isUsable(current)) {
        this.parts.become(this.record.pathOf(current), ['serve', this.parts.installed]);
        return { exitCode: 1 };
      }
      this.withoutCurrent(current);
    }
  }

  /** Whoever installed another file wants that one to run. */
  private heedInstalled(): void {
    const { installed, current, order } = this.record.read();
    if ((!current && !order) || installed === undefined || installed === fingerprint(this.parts.installed)) return;
    this.parts.say('another agent was installed by hand; it takes the place of the version fetched before');
    this.record.write({ format: 1 });
    this.record.keepOnly([]);
  }

  private isUsable({ version, ...build }: Build): boolean {
    const { status, stdout } = spawnSync(this.record.pathOf({ version, ...build }), ['--version'], { timeout: 60_000, encoding: 'utf8' });
    return status === 0 && stdout.trim() === version;
  }

  private withoutCurrent({ version }: Build): void {
    this.parts.say(`the file of version ${version} cannot be run any more; the installed agent takes its place`);
    const { current: _gone, ...rest } = this.record.read();
    this.record.write(rest);
  }

  private async tryOut(order: StagedOrder): Promise<TrialEnd> {
    if (order.tries >= mostTries) return this.fail(order, 'upgrade-interrupted', `Its trial was broken off ${mostTries} times`);
    this.copy.keep();
    this.record.write({ ...this.record.read(), order: { ...order, stage: 'trying', tries: order.tries + 1 } });
    this.parts.say(`trying version ${order.version}`);
    const child = spawn(this.record.pathOf(order), ['serve', this.parts.installed], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
    this.child = child;
    const gone = new AbortController();
    child.once('close', () => gone.abort());
    child.on('error', () => gone.abort());
    await this.watch(order, gone.signal);
    if (this.isConfirmed(order)) return this.follow(child, gone.signal);
    return this.giveUp(order, child, gone.signal);
  }

  /** Until it is confirmed, is gone, or its time is up. */
  private async watch(order: StagedOrder, gone: AbortSignal): Promise<void> {
    const { clock, trialMs } = this.parts;
    const until = clock.monotonic() + trialMs;
    while (!gone.aborted && this.stopped === undefined && !this.isConfirmed(order) && clock.monotonic() < until) await clock.sleep(pollMs, gone).catch(() => undefined);
  }

  private isConfirmed({ id, sha256 }: StagedOrder): boolean {
    const { order, current } = this.record.read();
    // The order is forgotten when the masters have written its end down.
    return order ? order.id === id && order.stage === 'confirmed' : current?.sha256 === sha256;
  }

  private async follow(child: ChildProcess, gone: AbortSignal): Promise<TrialEnd> {
    this.copy.drop();
    this.parts.say('the new version is online and stays');
    if (!gone.aborted) await once(child, 'close');
    this.child = undefined;
    return child.exitCode === restartCode ? 'settled' : { exitCode: codeOf(child) };
  }

  private async giveUp(order: StagedOrder, child: ChildProcess, gone: AbortSignal): Promise<TrialEnd> {
    const crashed = gone.aborted;
    if (!crashed) await this.end(child, gone);
    this.child = undefined;
    if (this.stopped !== undefined) {
      // The host or its operator ended us: that says nothing about the new version.
      this.record.write({ ...this.record.read(), order: { ...order, stage: 'waiting', tries: order.tries } });
      return { exitCode: codeOf(child) };
    }
    if (crashed && order.tries === 0) {
      // Once more: an agent of a launcher that was killed may have held the state directory for a moment.
      this.record.write({ ...this.record.read(), order: { ...order, stage: 'waiting', tries: 1 } });
      return 'settled';
    }
    return crashed
      ? this.fail(order, 'upgrade-crashed', `Version ${order.version} ended with ${child.signalCode ?? `exit code ${child.exitCode}`} before it was online; the log of the agent on the host says why`)
      : this.fail(order, 'upgrade-not-online', `Version ${order.version} was not online after ${Math.round(this.parts.trialMs / 1000)} s; the log of the agent on the host says why`);
  }

  private async end(child: ChildProcess, gone: AbortSignal): Promise<void> {
    child.kill('SIGTERM');
    await this.parts.clock.sleep(graceMs, gone).catch(() => undefined);
    if (gone.aborted) return;
    child.kill('SIGKILL');
    await once(child, 'close');
  }

  private fail(order: StagedOrder, code: string, detail: string): TrialEnd {
    this.copy.putBack();
    this.parts.say(`${code}: ${detail}. The version before goes on`);
    this.record.write({ ...this.record.read(), order: { ...order, stage: 'failed', code, detail: `${detail}. The version before goes on` } });
    return 'settled';
  }
}
