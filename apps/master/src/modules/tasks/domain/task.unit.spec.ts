import { describe, expect, it } from 'vitest';
import { eventTypes } from '#event-store';
import { laneDecider, type LaneState } from './lane.ts';
import { taskDecider, type TaskCommand } from './task.decide.ts';
import type { TaskDefinition } from './task.definition.ts';
import { taskEventVersions } from './task.events.ts';
import { type TaskPlacement, namedNodes } from './task.placement.ts';
import { initialTask, type TaskState } from './task.state.ts';

const definition: TaskDefinition = {
  name: 'Nightly', placement: { nodes: ['node_a'], offline: 'wait' }, target: 'target_a', source: { type: 'files', paths: ['/srv'] }, overlap: 'skip',
  retention: { keepLast: 3 }, timeoutSeconds: 3600, retries: { max: 2, delaySeconds: 60 },
};
const decide = (state: TaskState, command: TaskCommand) => {
  const decided = taskDecider.decide(command, state);
  return decided.ok ? decided.value.map((event) => event.type) : decided.error.code;
};
const after = (...commands: TaskCommand[]): TaskState =>
  commands.reduce<TaskState>((state, command) => {
    const decided = taskDecider.decide(command, state);
    return decided.ok ? decided.value.reduce(taskDecider.evolve, state) : state;
  }, initialTask);
const define: TaskCommand = { type: 'DefineTask', definition };

describe('a task', () => {
  it('is defined once; the same request again changes nothing, another one is refused', () => {
    expect(decide(initialTask, define)).toEqual(['TaskDefined']);
    expect(decide(after(define), define)).toEqual([]);
    expect(decide(after(define), { type: 'DefineTask', definition: { ...definition, name: 'Other' } })).toBe('task-exists');
  });
  it('names every faulty field of a definition at once', () => {
    const bad = { ...definition, placement: { nodes: [], offline: 'wait' as const }, source: { type: 'files' as const, paths: ['srv'] }, timeoutSeconds: 1, retention: { keepLast: 0 } };
    const decided = taskDecider.decide({ type: 'DefineTask', definition: bad }, initialTask);
    expect(decided.ok ? [] : decided.error.fields?.map((fault) => fault.field)).toEqual(['nodes', 'source.paths', 'timeoutSeconds', 'retention.keepLast']);
  });
  it('pauses and resumes, each only once', () => {
    expect(decide(after(define), { type: 'PauseTask' })).toEqual(['TaskPaused']);
    expect(decide(after(define, { type: 'PauseTask' }), { type: 'PauseTask' })).toEqual([]);
    expect(decide(after(define, { type: 'PauseTask' }), { type: 'ResumeTask' })).toEqual(['TaskResumed']);
    expect(decide(after(define), { type: 'ResumeTask' })).toEqual([]);
  });
  it('stays paused when it is changed', () => {
    const state = after(define, { type: 'PauseTask' }, { type: 'ChangeTask', definition: { ...definition, name: 'Other' } });
    expect(state).toMatchObject({ status: 'paused', definition: { name: 'Other' } });
  });
  it('that is deleted is gone for everything but deleting it again', () => {
    const deleted = after(define, { type: 'DeleteTask' });
    expect(decide(deleted, { type: 'DeleteTask' })).toEqual([]);
    expect(decide(deleted, { type: 'PauseTask' })).toBe('task-not-found');
    expect(decide(deleted, define)).toBe('task-exists');
  });
});

describe('on which nodes a task runs', () => {
  const faults = (placement: TaskPlacement) => {
    const decided = taskDecider.decide({ type: 'DefineTask', definition: { ...definition, placement } }, initialTask);
    return decided.ok ? [] : decided.error.fields?.map((fault) => fault.field);
  };
  it('is said by names or by labels, and by a rule for those that are away', () => {
    expect(faults({ nodes: ['node_a', 'node_b'], offline: 'skip' })).toEqual([]);
    expect(faults({ selector: { 'site': 'vienna', 'app/tier': '' }, mode: 'any', offline: 'wait', waitSeconds: 60 })).toEqual([]);
    expect(faults({ nodes: ['node_a', 'node_a'], offline: 'wait' })).toEqual(['nodes']);
    expect(faults({ selector: {}, mode: 'all', offline: 'fail' })).toEqual(['selector']);
    expect(faults({ selector: { 'no space': 'x' }, mode: 'all', offline: 'fail', waitSeconds: 0 })).toEqual(['selector', 'waitSeconds', 'waitSeconds']);
  });
  it('was said by names alone in version 1 of its events, which waited as long as it took', () => {
    const { placement, ...rest } = definition;
    const types = eventTypes(taskEventVersions);
    for (const type of ['TaskDefined', 'TaskChanged']) expect(types.upcast(type, 1, { ...rest, nodes: namedNodes(placement) })).toEqual(definition);
  });
});

describe('a lane', () => {
  const busy: LaneState = { runs: ['run_1'] };
  it('lets no second run in while one is there and the task skips overlaps', () => {
    expect(laneDecider.decide({ type: 'EnterLane', run: 'run_2', overlap: 'skip' }, busy)).toMatchObject({ ok: false, error: { code: 'task-running' } });
  });
  it('queues it behind when the task says so', () => {
    const decided = laneDecider.decide({ type: 'EnterLane', run: 'run_2', overlap: 'queue' }, busy);
    expect(decided.ok && decided.value.reduce(laneDecider.evolve, busy)).toEqual({ runs: ['run_1', 'run_2'] });
  });
  it('is left by the run that ends, and entering or leaving twice changes nothing', () => {
    expect(laneDecider.decide({ type: 'EnterLane', run: 'run_1', overlap: 'skip' }, busy)).toEqual({ ok: true, value: [] });
    const left = laneDecider.decide({ type: 'LeaveLane', run: 'run_1' }, busy);
    expect(left.ok && left.value.reduce(laneDecider.evolve, busy)).toEqual({ runs: [] });
    expect(laneDecider.decide({ type: 'LeaveLane', run: 'run_2' }, busy)).toEqual({ ok: true, value: [] });
  });
});
