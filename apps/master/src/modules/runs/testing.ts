import { type Command, type Grant, type RunReport, commandMessageId } from '#contracts';
import { commandHandler, type EventStore, eventTypes, type RecordedEvent } from '#event-store';
import { memoryEventStore } from '#event-store/testing';
import { FakeClock, countingIds, rfc3339, silentLogger, systemClock } from '#kernel';
import { memoryStore, withPrefix } from '#storage';
import { Commands } from '../../platform/index.ts';
import { repositoryEventVersions } from '../repositories/index.ts';
import { snapshotEventVersions } from '../snapshots/index.ts';
import { laneEventVersions, type TaskDefinition, taskDecider, taskEventVersions } from '../tasks/index.ts';
import { CatalogHandler } from './asks/catalog.handler.ts';
import { ClaimHandler } from './asks/claim.handler.ts';
import { GrantHandler } from './asks/grant.handler.ts';
import { SpecificationBuilder } from './asks/specification.builder.ts';
import { SyncHandler } from './asks/sync.handler.ts';
import { CancelRunHandler } from './commands/cancel-run/cancel-run.handler.ts';
import { DispatchRunHandler } from './commands/dispatch-run/dispatch-run.handler.ts';
import { decideRun } from './commands/decide-run.ts';
import { PlaceChildHandler } from './commands/place-child/place-child.handler.ts';
import { ReportRunHandler } from './commands/report-run/report-run.handler.ts';
import { RequestParentHandler } from './commands/request-parent/request-parent.handler.ts';
import { RequestRunHandler } from './commands/request-run/request-run.handler.ts';
import { RetryRunHandler } from './commands/retry-run/retry-run.handler.ts';
import { StartChildrenHandler } from './commands/start-children/start-children.handler.ts';
import { TakeBackHandler } from './commands/take-back/take-back.handler.ts';
import { Deciding } from './deciding.ts';
import { parentRunEventVersions } from './domain/parent.events.ts';
import { runEventVersions, type RunEvent } from './domain/run.events.ts';
import type { RunCommand } from './domain/run.commands.ts';
import { isActive } from './domain/run.state.ts';
import type { AdmissionOutcome, AdmissionRequest, CommandSender, DueRun, NodeFacts, ParentRows, RunRows } from './ports.ts';
import { AttemptLiveness } from './processes/attempt-liveness.ts';
import { DispatchProcess } from './processes/dispatch.process.ts';
import { ParentsProcess } from './processes/parents.process.ts';
import { SupervisionProcess } from './processes/supervision.process.ts';
import type { RunRow } from './read-models/runs/run.entity.ts';
import { dueRun } from './read-models/runs/run-rows.adapter.ts';
import { runRows } from './read-models/runs/run.projection.ts';

export const nodeA = 'node_a';
export const targetA = 'target_a';
export const taskA = 'task_a';

export const definition: TaskDefinition = {
  name: 'Nightly', placement: { nodes: [nodeA], offline: 'wait' }, target: targetA, source: { type: 'files', paths: ['/srv'] }, overlap: 'skip', retention: {},
  timeoutSeconds: 3600, retries: { max: 1, delaySeconds: 60 },
};

/** An installation in memory: one log, a clock that stands still, nodes and targets that do as the test says, and any number of masters. */
export class World {
  readonly clock = new FakeClock();
  readonly ids = countingIds();
  readonly log = memoryEventStore(eventTypes(runEventVersions, parentRunEventVersions, taskEventVersions, laneEventVersions, repositoryEventVersions, snapshotEventVersions));
  readonly sent: Command[] = [];
  readonly nodes = new Map<string, NodeFacts>([[nodeA, { enrolled: true, drained: false, online: true, slots: 2, recipient: 'age1node' }]]);
  /** State directories that were heard of since their node enrolled. */
  readonly instancesHeard = new Set<string>();
  readonly reportsWaiting = new Set<string>();
  readonly executorsAlive = new Set<string>();
  readonly store = memoryStore();
  readonly admissions: AdmissionRequest[] = [];
  /** Packs that every restore needs. */
  needed: readonly string[] = [];
  admission: (request: AdmissionRequest) => Promise<AdmissionOutcome> = async (request) => admitted(request);
  sendFails = false;
  /** Puts commands where the test wants them. Default: into `sent`, without what a stream would drop as a duplicate. */
  sender: CommandSender = { send: async (command, repetition = 0) => this.keep(command, repetition) };
  private readonly messageIds = new Set<string>();
  private readonly absences = new Map<string, { times: number; since: number }>();

  /** Events of a type so far, or all. */
  events<T extends string>(type?: T): RecordedEvent[] {
    return this.log.all().filter((recorded) => type === undefined || recorded.event.type === type);
  }

  types(aggregate: string): string[] {
    return this.log.all().filter((recorded) => recorded.aggregate.type === aggregate).map((recorded) => recorded.event.type);
  }

  /** The read model of this moment. */
  rows(): RunRow[] {
    const rows = new Map<string, RunRow>();
    for (const recorded of this.log.all()) {
      if (!runRows.handles.includes(recorded.event.type as RunEvent['type'])) continue;
      for (const key of runRows.keys(recorded as RecordedEvent<RunEvent>)) {
        const row = runRows.evolve(rows.get(key), recorded as RecordedEvent<RunEvent>, key);
        if (row) rows.set(key, row);
      }
    }
    return [...rows.values()];
  }

  /** Rows of runs that have nodes. */
  private due(holds: (row: RunRow) => boolean): DueRun[] {
    return this.rows().flatMap((row) => (row.node !== null && holds(row) ? [dueRun({ ...row, node: row.node })] : []));
  }

  readonly runRows: RunRows = {
    queued: async (now) => this.due((row) => row.status === 'queued' && (row.notBefore?.getTime() ?? 0) <= now),
    active: async (node) => this.due((row) => ['dispatched', 'running', 'cancel-requested'].includes(row.status) && (node === undefined || row.node === node)),
  };

  private mayBeDue({ id, mode, status, childrenWaiting }: RunRow): boolean {
    const open = this.rows().filter((row) => row.parent === id && row.endedAt === null);
    const waits = mode === 'any' && open.some((row) => row.status === 'queued');
    return status === 'cancel-requested' || (childrenWaiting ?? 0) > 0 || open.length === 0 || waits;
  }

  readonly parentRows: ParentRows = {
    due: async () => this.rows().filter((row) => row.mode !== null && row.endedAt === null && this.mayBeDue(row)).map((row) => row.id),
    children: async (parent) => this.rows().filter((row) => row.parent === parent).map(({ id, node, status, code, startedAt }) => ({
      id, node: node ?? '', status, started: startedAt !== null, ...(code === null ? {} : { code }),
    })),
  };

  /** Labels of the nodes, for those that have some. */
  readonly labels = new Map<string, Readonly<Record<string, string>>>();

  private matching(selector: Readonly<Record<string, string>>): (NodeFacts & { id: string })[] {
    const matches = (node: string): boolean => Object.entries(selector).every(([key, value]) => this.labels.get(node)?.[key] === value);
    return [...this.nodes].filter(([node]) => matches(node)).map(([id, facts]) => ({ id, ...facts })).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  private keep(command: Command, repetition: number): void {
    if (this.sendFails) throw new Error('the bus is away');
    const id = commandMessageId(command, repetition);
    if (this.messageIds.has(id)) return;
    this.messageIds.add(id);
    this.sent.push(command);
  }

  /** One more master over the same log; `keeps` puts something between the two. */
  master(keeps: (log: EventStore) => EventStore = (log) => log) {
    const { clock, ids, sender, store } = this;
    const log = keeps(this.log);
    const deciding = new Deciding(commandHandler(log, systemClock), clock, ids);
    const directory = {
      find: async (node: string) => this.nodes.get(node),
      heard: async (_node: string, instance: string) => this.instancesHeard.has(instance),
      matching: async (selector: Readonly<Record<string, string>>) => this.matching(selector),
    };
    const waiting = { has: async (node: string, run: string, { attempt, claim }: { attempt: number; claim: string }) => this.reportsWaiting.has(`${node}.${run}.${attempt}.${claim}`) };
    const dispatch = new DispatchRunHandler(deciding, directory, this.runRows, sender, silentLogger);
    const grant = (method: 'PUT' | 'GET', name: string, seconds: number): Grant =>
      ({ name, method, url: `http://127.0.0.1/${name}`, headers: {}, expiresAt: rfc3339(clock.now() + seconds * 1000) });
    const targets = {
      open: async (_target: string, node: string) => ({
        store: withPrefix(store, node),
        grantWrite: async ({ name }: { name: string }, seconds: number) => grant('PUT', name, seconds),
        grantRead: async (name: string, seconds: number) => grant('GET', name, seconds),
      }),
    };
    const absences = {
      missed: async (run: string, attempt: number, now: number) => {
        const before = this.absences.get(`${run}.${attempt}`) ?? { times: 0, since: now };
        const after = { ...before, times: before.times + 1 };
        this.absences.set(`${run}.${attempt}`, after);
        return after;
      },
      clear: async (run: string, attempt: number) => void this.absences.delete(`${run}.${attempt}`),
    };
    const executors = { beat: async (instance: string) => void this.executorsAlive.add(instance), isAlive: async (instance: string) => this.executorsAlive.has(instance) };
    const recipients = { current: async () => ({ data: ['age1data'], catalog: ['age1catalog'] }) };
    const restoreKeys = { seal: async (_place: object, recipient: string) => `sealed to ${recipient}`, packs: async () => this.needed };
    const specifications = new SpecificationBuilder(directory, recipients, restoreKeys);
    const admission = { admit: (request: AdmissionRequest) => { this.admissions.push(request); return this.admission(request); } };
    const children = new StartChildrenHandler(deciding, dispatch, directory);
    const reads = { waitFor: async () => true };
    const placing = new PlaceChildHandler(deciding, dispatch, directory, this.runRows, reads);
    const commands = new Commands(commandHandler(log, systemClock), reads);
    const cancels = new CancelRunHandler(commands, deciding, dispatch);
    return {
      deciding, dispatch, requests: new RequestRunHandler(directory), parents: new RequestParentHandler(directory, children), cancels, children,
      retries: new RetryRunHandler(commands, deciding, dispatch),
      parenting: new ParentsProcess(deciding, children, placing, cancels, this.parentRows),
      claims: new ClaimHandler(deciding, specifications, directory, ids),
      grants: new GrantHandler(deciding, targets),
      catalog: new CatalogHandler(deciding, targets, { prepare: async ({ claim }) => `indexes/of-${claim}` }, restoreKeys),
      sync: new SyncHandler(deciding, this.runRows, absences, waiting, directory, silentLogger),
      reports: new ReportRunHandler(deciding, dispatch, admission, silentLogger),
      dispatching: new DispatchProcess(deciding, dispatch, new TakeBackHandler(deciding, placing, directory), this.runRows, clock, silentLogger),
      supervision: new SupervisionProcess(deciding, dispatch, this.runRows, new AttemptLiveness(directory, executors, waiting), clock, silentLogger),
      decide: (id: string, command: RunCommand) => deciding.execute('user:test', (unit) => decideRun(unit, id, command)),
    };
  }

  /** Defines the task and requests a run of it by hand. */
  async request(master: ReturnType<World['master']>, change: Partial<TaskDefinition> = {}): Promise<string> {
    const id = this.ids.next('run');
    const made = await master.deciding.execute('user:test', async (unit) => {
      await unit.decide(taskDecider, taskA, { type: 'DefineTask', definition: { ...definition, ...change } });
      return master.requests.ofTask(unit, { id, task: taskA, node: nodeA, cause: 'user', now: master.deciding.now() });
    });
    if (!made.ok) throw new Error(made.error.code);
    return id;
  }

  /** Requests, dispatches and claims: the run is at work. */
  async running(master: ReturnType<World['master']>, change: Partial<TaskDefinition> = {}) {
    const run = await this.request(master, change);
    await master.dispatch.dispatch(run, nodeA);
    return this.claimed(master, run);
  }

  async claimed(master: ReturnType<World['master']>, run: string, instance = 'i1') {
    const state = await master.deciding.run(run);
    if (!isActive(state)) throw new Error(state.status);
    const attempt = state.attempts.at(-1)!.number;
    const answer = await master.claims.answer(nodeA, { id: 'ask', run, attempt, instance });
    if (answer.status !== 'ok') throw new Error(answer.code);
    return { run, attempt, ...answer.value };
  }
}

export type Master = ReturnType<World['master']>;

/** What admission finds when all is well. */
export const admitted = ({ attempt, report }: AdmissionRequest): AdmissionOutcome => ({
  admitted: true,
  snapshot: {
    snapshot: attempt.snapshot ?? '', object: report.proposal?.object.name ?? '', size: 10, repositoryId: 'a'.repeat(32), idKeyId: 'b'.repeat(32), keys: [], packs: 1,
  },
});

/** A report that a well-behaved agent would make. */
export const reportOf = ({ attempt, claim, snapshot }: { attempt: number; claim: string; snapshot?: string }, change: Partial<RunReport> = {}): RunReport => ({
  protocol: 1, attempt, claim, outcome: 'succeeded', faults: [], faultCount: 0,
  ...(snapshot === undefined ? {} : {
    proposal: {
      id: snapshot, object: { name: `snapshots/${snapshot}/${'c'.repeat(64)}`, size: 10 }, repositoryId: 'a'.repeat(32), idKeyId: 'b'.repeat(32), keys: [], packs: [],
    },
  }),
  ...change,
});
