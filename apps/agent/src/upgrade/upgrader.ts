import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import type { InstallMode, UpgradeOrder, UpgradeReport } from '#contracts';
import { type Clock, type Logger, fault, isAppError, messageOf } from '#kernel';
import type { NetworkSettings } from '../network/network.ts';
import { backoffMs } from '../session/ask-until-answered.ts';
import { agentVersion } from '../version.ts';
import { fetchBuild } from './fetch-build.ts';
import { type StagedOrder, type UpgradeFile, fingerprint } from './upgrade-file.ts';

export interface UpgraderParts {
  readonly record: UpgradeFile;
  readonly installMode: InstallMode;
  /** The installed file, which starts the others; absent where the agent has no file of its own. */
  readonly launcher?: string | undefined;
  readonly master: string;
  /** How this host reaches the master. */
  readonly network: NetworkSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Begins no more work, and resolves when nothing runs that could not be taken up by the next process. */
  readonly quiet: (signal: AbortSignal) => Promise<void>;
  /** Begins work again. */
  readonly goOn: () => void;
  /** Ends this process so that the launcher decides anew. */
  readonly restart: () => void;
}

const mostFetches = 6;
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
const versionShape = /^\d{1,9}\.\d{1,9}\.\d{1,9}(-[0-9A-Za-z.]{1,32})?$/;

/**
 * Carries out orders to become another version, one at a time: fetch and check the file while work goes on, let restores end (a backup
 * is taken up again by the next process, a restore is not), then start anew. Everything it does is in the record first, so that it
 * can be killed anywhere.
 */
export class Upgrader {
  private readonly parts: UpgraderParts;
  private busy: { readonly id: string; readonly ending: AbortController } | undefined;

  constructor(parts: UpgraderParts) {
    this.parts = parts;
  }

  /** True while this process is a new version that no master has answered yet: it may not begin work. */
  get isTrial(): boolean {
    return this.parts.record.read().order?.stage === 'trying';
  }

  /** For the masters, until they have written it down. */
  report(): UpgradeReport | undefined {
    const { order } = this.parts.record.read();
    if (!order) return undefined;
    const { id, stage, code, detail } = order;
    return { id, stage, ...(code === undefined ? {} : { code }), ...(detail === undefined ? {} : { detail: detail.slice(0, 1024) }) };
  }

  /** The masters have answered: this version stays. True when that is new. */
  confirm(): boolean {
    const { record, logger } = this.parts;
    const before = record.read();
    const { order } = before;
    if (order?.stage !== 'trying' || order.version !== agentVersion) return false;
    const { version, sha256 } = order;
    record.write({ ...before, current: { version, sha256 }, order: { ...order, stage: 'confirmed' } });
    logger.info('This version of the agent is online and stays', { version });
    return true;
  }

  /** What the masters want; undefined: nothing, or they have written down how it ended. */
  take(wanted: UpgradeOrder | undefined): void {
    const { order } = this.parts.record.read();
    if (!wanted) return this.forget(order);
    if (order?.stage === 'trying' || this.busy?.id === wanted.id) return;
    if (order?.id === wanted.id && (order.stage === 'confirmed' || order.stage === 'failed')) return;
    this.stop();
    const ending = new AbortController();
    this.busy = { id: wanted.id, ending };
    void this.carryOut(wanted, ending.signal);
  }

  /** Lets go of what is under way; the next start takes it up. */
  stop(): void {
    this.busy?.ending.abort(new Error('The upgrade is broken off'));
    this.busy = undefined;
  }

  private forget(order: StagedOrder | undefined): void {
    if (!order || order.stage === 'trying') return;
    this.stop();
    const { record, goOn } = this.parts;
    const { order: _over, ...rest } = record.read();
    record.write(rest);
    record.keepOnly([rest.current]);
    goOn();
  }

  private async carryOut(wanted: UpgradeOrder, signal: AbortSignal): Promise<void> {
    const { logger, quiet, goOn, restart } = this.parts;
    try {
      logger.info('The masters want another version of this agent', { from: agentVersion, to: wanted.version });
      this.stage(wanted, 'fetching');
      await this.make(wanted, signal);
      this.stage(wanted, 'waiting');
      await quiet(signal);
      signal.throwIfAborted();
      logger.info('The agent starts anew with another version', { from: agentVersion, to: wanted.version });
      restart();
    } catch (error) {
      if (signal.aborted) return;
      const code = isAppError(error) ? error.code : 'upgrade-failed';
      logger.warn('The agent stays at its version', { code, version: wanted.version, reason: messageOf(error) });
      this.stage(wanted, 'failed', { code, detail: isAppError(error) ? error.detail : messageOf(error) });
      goOn();
    } finally {
      if (this.busy?.id === wanted.id) this.busy = undefined;
    }
  }

  private stage({ id, version, sha256, size }: UpgradeOrder, stage: StagedOrder['stage'], why: { code?: string; detail?: string } = {}): void {
    const { record, launcher } = this.parts;
    const { current } = record.read();
    record.write({
      format: 1, ...(current ? { current } : {}), ...(launcher === undefined ? {} : { installed: fingerprint(launcher) }),
      order: { id, version, sha256, size, stage, tries: 0, ...why },
    });
  }

  private async make(wanted: UpgradeOrder, signal: AbortSignal): Promise<void> {
    const { installMode, launcher, record, master, network } = this.parts;
    const arch = architectures[process.arch];
    if (installMode === 'docker' || installMode === 'unbuilt' || launcher === undefined || arch === undefined) {
      throw fault('refused', 'upgraded-otherwise', `This agent runs as ${installMode} and does not replace itself: upgrade ${installMode === 'docker' ? 'its container' : 'the installation it runs from'}`);
    }
    if (!versionShape.test(wanted.version) || !/^[0-9a-f]{64}$/.test(wanted.sha256)) throw fault('validation', 'upgrade-invalid', 'The order names no version or no SHA-256');
    const file = record.pathOf(wanted);
    if (!existsSync(file)) await this.fetch({ master, order: wanted, arch, file, network, signal });
    await this.check(file, wanted.version);
  }

  private async fetch(what: Parameters<typeof fetchBuild>[0]): Promise<void> {
    for (let n = 1; ; n++) {
      try {
        return await fetchBuild(what);
      } catch (error) {
        what.signal.throwIfAborted();
        if (!isAppError(error) || !error.retryable || n >= mostFetches) throw error;
        this.parts.logger.info('The new version could not be fetched yet', { reason: messageOf(error) });
        await this.parts.clock.sleep(backoffMs(n), what.signal);
      }
    }
  }

  /** Before anything is changed: whether it runs on this host at all. */
  private async check(file: string, version: string): Promise<void> {
    const said = await promisify(execFile)(file, ['--version'], { timeout: 60_000 }).then(({ stdout }) => stdout.trim(), (error: unknown) => {
      throw fault('refused', 'upgrade-unusable', `The new version does not run on this host: ${messageOf(error).slice(0, 500)}`, { cause: error });
    });
    if (said !== version) throw fault('refused', 'upgrade-unusable', `The file for version ${version} says that it is ${said.slice(0, 64)}`);
  }
}
