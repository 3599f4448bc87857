import type { NatsConnection } from 'nats';
import type { InstallMode, SelfAnswer } from '#contracts';
import { type Clock, type IdSource, type Logger, messageOf } from '#kernel';
import type { BusCredential, BusHealth } from '#messaging';
import { resumeWork } from './commands/accept-work.ts';
import { CommandIntake } from './commands/command-intake.ts';
import type { DataPlane } from './data-plane/data-plane.port.ts';
import type { NetworkSettings } from './network/network.ts';
import { OutboxProcess } from './reports/outbox.process.ts';
import type { AgentCredential } from './session/agent-credential.ts';
import { BusGate } from './session/bus-gate.ts';
import { HeartbeatProcess } from './session/heartbeat.process.ts';
import { hostFactsOf, hostReport } from './session/host-facts.ts';
import { MasterVoice } from './session/master-voice.ts';
import { NatsAskClient } from './session/nats-ask-client.ts';
import { NatsBus } from './session/nats-bus.ts';
import { RenewalProcess } from './session/renewal.process.ts';
import { RotationProcess } from './session/rotation.process.ts';
import { switchOver } from './session/switch-over.ts';
import { SyncProcess } from './session/sync.process.ts';
import { type AgentDatabase } from './state/database.ts';
import { instanceOf } from './state/instance.ts';
import { Journal } from './state/journal.ts';
import { type NodeIdentity, pinCommandKeys } from './state/node-identity.ts';
import { Outbox } from './state/outbox.ts';
import type { StateDirectory } from './state/state-directory.ts';
import { quietWork } from './upgrade/quiet-work.ts';
import { UpgradeFile } from './upgrade/upgrade-file.ts';
import { Upgrader } from './upgrade/upgrader.ts';
import { agentVersion } from './version.ts';
import { AttemptRunner } from './attempts/attempt-runner.ts';
import { Scheduler } from './attempts/scheduler.ts';

/** What an agent is made of; the caller opens and closes it. */
export interface AgentParts {
  readonly state: StateDirectory;
  readonly database: AgentDatabase;
  readonly identity: NodeIdentity;
  readonly credential: AgentCredential;
  /** Connects once with another credential; throws when the bus does not take it. */
  readonly tryCredential: (credential: BusCredential) => Promise<void>;
  readonly connection: NatsConnection;
  readonly health: BusHealth;
  readonly dataPlane: DataPlane;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  /** How this host reaches targets and masters. */
  readonly network: NetworkSettings;
  /** Most runs at once; absent: as many as the master says. */
  readonly slots?: number | undefined;
  /** How it runs, and the installed file that starts other versions of it; absent where there is none. */
  readonly installMode: InstallMode;
  readonly launcher?: string | undefined;
  /** Ends the agent so that the launcher decides anew which version runs. */
  readonly restart: () => void;
}

/** Slots until a master has said how many. */
const firstSlots = 1;
/** Milliseconds that finished work stays in the journal: longer than COMMANDS keeps a command (7 days), which may be redelivered. */
const keepMs = 30 * 86_400_000;

/** One host's agent at work: composes the parts and runs their loops. */
export class Agent {
  readonly intake: CommandIntake;
  private readonly parts: AgentParts;
  private readonly voice: MasterVoice;
  private readonly scheduler: Scheduler;
  private readonly sync: SyncProcess;
  private readonly rotation: RotationProcess;
  private readonly renewal: RenewalProcess;
  private readonly outboxProcess: OutboxProcess;
  private readonly journal: Journal;
  private readonly outbox: Outbox;
  private readonly bus: NatsBus;
  private readonly instance: string;
  private readonly upgrader: Upgrader;
  private readonly heartbeat: HeartbeatProcess;
  private readonly stopping = new AbortController();
  private loops: Promise<unknown> = Promise.resolve();
  private forgotAt = -Infinity;
  private self: SelfAnswer | undefined;
  /** Begins nothing more: it waits to be started anew. */
  private quiet = false;

  constructor(parts: AgentParts) {
    this.parts = parts;
    const { database, identity, connection, clock, ids, logger, dataPlane, state, installMode, launcher, restart } = parts;
    const { node } = identity.facts;
    this.instance = instanceOf(database, ids);
    this.voice = new MasterVoice(node, identity.facts.commandKeys);
    const gate = new BusGate(clock);
    this.bus = new NatsBus(connection, node, gate);
    this.journal = new Journal(database, clock);
    this.outbox = new Outbox(database, clock);
    const ask = new NatsAskClient({ connection, health: parts.health, node, voice: this.voice, ids, gate, logger });
    const shared = { database, journal: this.journal, outbox: this.outbox, ask, clock, logger, instance: this.instance };
    const onReport = (): void => this.outboxProcess.wake();
    this.outboxProcess = new OutboxProcess({ ...shared, publisher: this.bus });
    const runner = new AttemptRunner({
      ...shared, dataPlane, telemetry: this.bus, ageIdentity: identity.ageIdentity, network: parts.network, cacheOf: (target) => state.cacheOf(target), onReport,
    });
    this.scheduler = new Scheduler((key, control) => runner.run(key, control), parts.slots ?? firstSlots, logger);
    this.upgrader = new Upgrader({
      record: new UpgradeFile(state.root), installMode, launcher, master: identity.facts.master, network: parts.network, clock, logger, restart,
      quiet: (signal) => this.becomeQuiet(signal), goOn: () => this.goOn(),
    });
    this.scheduler.resize(this.slots());
    const { credential, tryCredential, health } = parts;
    const own = { ...shared, state, credential, node, switchOver: () => switchOver({ connection, health, gate, credential, clock }) };
    this.rotation = new RotationProcess({ ...own, tryCredential });
    this.renewal = new RenewalProcess(own);
    const context = { journal: this.journal, scheduler: this.scheduler, logger, askNow: () => this.sync.wake(), onRotate: () => this.rotation.wake() };
    this.intake = new CommandIntake(node, this.voice, context);
    this.sync = new SyncProcess({
      ...shared, scheduler: this.scheduler, host: hostReport(installMode), upgrade: () => this.upgrader.report(), onSynced: () => this.onSynced(),
      resume: () => {
        this.forgetOld();
        resumeWork(context);
      },
      onSelf: (self) => this.onSelf(self), onReport,
    });
    this.heartbeat = new HeartbeatProcess({
      telemetry: this.bus, clock, facts: hostFactsOf(state.root), node, instance: this.instance, process: ids.next('inst'), version: agentVersion,
      master: () => connection.getServer(), slots: () => ({ capacity: this.scheduler.capacity, running: this.scheduler.running }),
    });
  }

  /** Takes up what an earlier process left, and begins to speak; commands come through `intake`. */
  start(): void {
    const { health } = this.parts;
    const { signal } = this.stopping;
    this.loops = Promise.all([this.heartbeat.run(signal), this.sync.run(signal), this.outboxProcess.run(signal), this.rotation.run(signal), this.renewal.run(signal)]);
    health.onReconnect(() => {
      this.heartbeat.wake();
      this.sync.wake();
      this.outboxProcess.wake();
      this.rotation.wake();
    });
    this.loops.catch((error: unknown) => this.parts.logger.error('A loop of the agent ended in a fault', { reason: messageOf(error) }));
  }

  /** Ends running work so that the next process resumes it, and all loops. The connection stays open for last acknowledgements. */
  async stop(): Promise<void> {
    this.upgrader.stop();
    await this.scheduler.drain();
    this.stopping.abort(new Error('The agent is ending'));
  }

  /** Once a day is enough. */
  private forgetOld(): void {
    const now = this.parts.clock.now();
    if (now - this.forgotAt < 86_400_000) return;
    this.forgotAt = now;
    this.journal.prune(now - keepMs);
    this.outbox.prune(now - keepMs);
  }

  private onSelf(self: SelfAnswer): void {
    const { state, logger } = this.parts;
    if (self.gate && this.self?.gate?.code !== self.gate.code) logger.warn('This agent gets no work', { ...self.gate });
    this.self = self;
    this.scheduler.resize(this.slots());
    if (self.heartbeatSeconds !== undefined) this.heartbeat.every(self.heartbeatSeconds);
    if (self.commandKeys.length > 0) {
      if (pinCommandKeys(state, self.commandKeys)) logger.info('The masters announced other command keys', { keys: self.commandKeys.map(({ id }) => id) });
      this.voice.pin(self.commandKeys);
    }
    this.upgrader.take(self.upgrade);
  }

  /** A version that is being tried has proved itself: it may work from now on, and the masters are told at once. */
  private onSynced(): void {
    if (!this.upgrader.confirm()) return;
    this.scheduler.resize(this.slots());
    this.sync.wake();
  }

  /** None for an agent that may not begin anything. */
  private slots(): number {
    if (this.quiet || this.self?.gate || this.upgrader.isTrial) return 0;
    const own = this.parts.slots;
    if (!this.self) return own ?? firstSlots;
    return own === undefined ? this.self.slots : Math.min(own, this.self.slots);
  }

  private goOn(): void {
    this.quiet = false;
    this.scheduler.resize(this.slots());
  }

  private becomeQuiet(signal: AbortSignal): Promise<void> {
    this.quiet = true;
    this.scheduler.resize(this.slots());
    const { clock, logger } = this.parts;
    return quietWork({ scheduler: this.scheduler, journal: this.journal, clock, logger }, signal);
  }
}
