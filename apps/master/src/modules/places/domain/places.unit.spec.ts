import { describe, expect, it } from 'vitest';
import { deciderSpecification } from '#event-store/testing';
import { placesDecider } from './places.decide.ts';
import type { PlacesEvent } from './places.events.ts';

const { given } = deciderSpecification(placesDecider);
const taken = (task: string, ...places: string[]): PlacesEvent => ({ type: 'PlacesTaken', data: { task, places } });
const released = (task: string): PlacesEvent => ({ type: 'PlacesReleased', data: { task } });
const retired = (place: string): PlacesEvent => ({ type: 'PlaceRetired', data: { place } });

describe('a node or target', () => {
  it('is not removed while a task uses it', () => {
    given(taken('task_a', 'node_a', 'target_a')).when({ type: 'RetirePlace', place: 'target_a' }).thenRefused('target-in-use');
    given(taken('task_a', 'node_a', 'target_a')).when({ type: 'RetirePlace', place: 'node_a' }).thenRefused('node-in-use');
  });
  it('says that more tasks use it than it names', () => {
    const uses = new Map(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => [`task_${name}`, ['node_a', 'target_a']]));
    expect(placesDecider.decide({ type: 'RetirePlace', place: 'target_a' }, { uses, retired: new Set() }))
      .toMatchObject({ ok: false, error: { code: 'target-in-use', detail: expect.stringContaining('(task_a, task_b, task_c, task_d, task_e and 2 more)') } });
  });
  it('is not used by a task once it is removed', () => {
    given(retired('target_a')).when({ type: 'TakePlaces', task: 'task_a', places: ['node_a', 'target_a'] }).thenRefused('target-unknown');
    given(retired('node_a')).when({ type: 'TakePlaces', task: 'task_a', places: ['node_a', 'target_a'] }).thenRefused('node-unknown');
  });
  it('is free when its last task went elsewhere or is deleted', () => {
    given(taken('task_a', 'target_a'), taken('task_a', 'target_b')).when({ type: 'RetirePlace', place: 'target_a' }).then(retired('target_a'));
    given(taken('task_a', 'target_a'), released('task_a')).when({ type: 'RetirePlace', place: 'target_a' }).then(retired('target_a'));
    given(taken('task_a', 'target_a'), taken('task_b', 'target_a'), released('task_a')).when({ type: 'RetirePlace', place: 'target_a' }).thenRefused('target-in-use');
  });
});

describe('an edit of a task', () => {
  it('says nothing when its places stay the same, whatever their order', () => {
    given(taken('task_a', 'node_a', 'node_b', 'target_a')).when({ type: 'TakePlaces', task: 'task_a', places: ['target_a', 'node_b', 'node_a'] }).then();
    given().when({ type: 'ReleasePlaces', task: 'task_a' }).then();
  });
});
