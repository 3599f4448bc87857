import type { NatsConnection } from 'nats';
import { type SelfAnswer } from '#contracts';
import { type Clock, type IdSource, type Logger, messageOf } from '#kernel';
import { type BusHealth } from '#messaging';
import { resumeWork } from './commands/accept-work.ts';
import { CommandIntake } from './commands/command-intake.ts';
import type { DataPlane } from './data-plane/data-plane.port.ts';
import { OutboxProcess } from './reports/outbox.process.ts';
import { HeartbeatProcess } from './session/heartbeat.process.ts';
import { hostFacts } from './session/host-facts.ts';
import { MasterVoice } from './session/master-voice.ts';
import { NatsAskClient } from './session/nats-ask-client.ts';
import { NatsBus } from './session/nats-bus.ts';
import { SyncProcess } from './session/sync.process.ts';
import { type AgentDatabase } from './state/database.ts';
import { instanceOf } from './state/instance.ts';
import { Journal } from './state/journal.ts';
import { type NodeIdentity, pinCommandKeys } from './state/node-identity.ts';
import { Outbox } from './state/outbox.ts';
import type { StateDirectory } from './state/state-directory.ts';
import { agentVersion } from './version.ts';
import { AttemptRunner } from './attempts/attempt-runner.ts';
import { Scheduler } from './attempts/scheduler.ts';

/** What an agent is made of; the caller opens and closes it. */
export interface AgentParts {
  readonly state: StateDirectory;
  readonly database: AgentDatabase;
  readonly identity: NodeIdentity;
  readonly connection: NatsConnection;
  readonly health: BusHealth;
  readonly dataPlane: DataPlane;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  /** Most runs at once; absent: as many as the master says. */
  readonly slots?: number | undefined;
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
  private readonly outboxProcess: OutboxProcess;
  private readonly journal: Journal;
  private readonly outbox: Outbox;
  private readonly bus: NatsBus;
  private readonly instance: string;
  private readonly stopping = new AbortController();
  private loops: Promise<unknown> = Promise.resolve();
  private forgotAt = -Infinity;

  constructor(parts: AgentParts) {
    this.parts = parts;
    const { database, identity, connection, clock, ids, logger, dataPlane, state } = parts;
    const { node } = identity.facts;
    this.instance = instanceOf(database, ids);
    this.voice = new MasterVoice(node, identity.facts.commandKeys);
    this.bus = new NatsBus(connection, node);
    this.journal = new Journal(database, clock);
    this.outbox = new Outbox(database, clock);
    const ask = new NatsAskClient({ connection, node, voice: this.voice, ids, logger });
    const shared = { database, journal: this.journal, outbox: this.outbox, ask, clock, logger, instance: this.instance };
    const onReport = (): void => this.outboxProcess.wake();
    this.outboxProcess = new OutboxProcess({ ...shared, publisher: this.bus });
    const runner = new AttemptRunner({
      ...shared, dataPlane, telemetry: this.bus, ageIdentity: identity.ageIdentity, ca: identity.caCertificate, cacheOf: (target) => state.cacheOf(target), onReport,
    });
    this.scheduler = new Scheduler((key, control) => runner.run(key, control), parts.slots ?? firstSlots, logger);
    const context = { journal: this.journal, scheduler: this.scheduler, logger };
    this.intake = new CommandIntake(node, this.voice, context);
    this.sync = new SyncProcess({
      ...shared, scheduler: this.scheduler, version: agentVersion, hostname: hostFacts().hostname,
      resume: () => {
        this.forgetOld();
        resumeWork(context);
      },
      onSelf: (self) => this.onSelf(self), onReport,
    });
  }

  /** Takes up what an earlier process left, and begins to speak; commands come through `intake`. */
  start(): void {
    const { clock, connection, identity, health } = this.parts;
    const { signal } = this.stopping;
    const heartbeat = new HeartbeatProcess({
      telemetry: this.bus, clock, facts: hostFacts, node: identity.facts.node, instance: this.instance, version: agentVersion,
      master: () => connection.getServer(), slots: () => ({ capacity: this.scheduler.capacity, running: this.scheduler.running }),
    });
    this.loops = Promise.all([heartbeat.run(signal), this.sync.run(signal), this.outboxProcess.run(signal)]);
    health.onReconnect(() => {
      heartbeat.wake();
      this.sync.wake();
      this.outboxProcess.wake();
    });
    this.loops.catch((error: unknown) => this.parts.logger.error('A loop of the agent ended in a fault', { reason: messageOf(error) }));
  }

  /** Ends running work so that the next process resumes it, and all loops. The connection stays open for last acknowledgements. */
  async stop(): Promise<void> {
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
    const { slots, state, logger } = this.parts;
    this.scheduler.resize(slots === undefined ? self.slots : Math.min(slots, self.slots));
    if (self.commandKeys.length === 0) return;
    if (pinCommandKeys(state, self.commandKeys)) logger.info('The masters announced other command keys', { keys: self.commandKeys.map(({ id }) => id) });
    this.voice.pin(self.commandKeys);
  }
}
