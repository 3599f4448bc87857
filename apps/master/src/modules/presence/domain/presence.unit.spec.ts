import { describe, expect, it } from 'vitest';
import { type PresenceCommand, presenceDecider } from './presence.decide.ts';
import type { PresenceEvent } from './presence.events.ts';

const { decide, evolve, initialState } = presenceDecider;
const given = (...events: PresenceEvent[]) => events.reduce(evolve, initialState);
const when = (command: PresenceCommand, ...events: PresenceEvent[]) => decide(command, given(...events));
const seen = { version: '1', hostname: 'h' };
const connected: PresenceEvent = { type: 'NodeConnected', data: { instance: 'a', ...seen } };
const suspected: PresenceEvent = { type: 'NodeSuspected', data: { reason: 'connection ended' } };
const lost: PresenceEvent = { type: 'NodeDisconnected', data: { reason: 'silent', lastSeen: '2026-01-01T00:00:00.000Z' } };
const lose: PresenceCommand = { type: 'LoseNode', reason: 'silent', lastSeen: '2026-01-01T00:00:00.000Z' };

describe('presence', () => {
  it('records that a node came, and not that it is still there', () => {
    expect(when({ type: 'SeeNode', instance: 'a', ...seen })).toEqual({ ok: true, value: [connected] });
    expect(when({ type: 'SeeNode', instance: 'a', ...seen }, connected)).toEqual({ ok: true, value: [] });
    expect(when({ type: 'SeeNode', instance: 'a', ...seen }, connected, suspected)).toEqual({ ok: true, value: [connected] });
    expect(when({ type: 'SeeNode', instance: 'b', ...seen }, connected)).toMatchObject({ ok: true, value: [{ data: { instance: 'b' } }] });
    expect(when({ type: 'SeeNode', instance: 'a', version: '2', hostname: 'h' }, connected)).toMatchObject({ ok: true, value: [{ data: { version: '2' } }] });
  });
  it('suspects only who is online and loses only who is there', () => {
    expect(when({ type: 'SuspectNode', reason: 'connection ended' }, connected)).toEqual({ ok: true, value: [suspected] });
    expect(when({ type: 'SuspectNode', reason: 'connection ended' }, connected, lost)).toEqual({ ok: true, value: [] });
    expect(when(lose, connected, suspected)).toEqual({ ok: true, value: [lost] });
    expect(when(lose)).toEqual({ ok: true, value: [] });
    expect(when(lose, connected, lost)).toEqual({ ok: true, value: [] });
  });
  it('alarms once when two state directories speak as one node, and the older stays the node', () => {
    const two: PresenceCommand = { type: 'SeeDuplicate', other: 'b', otherHostname: 'clone' };
    const alarm: PresenceEvent = { type: 'NodeDuplicated', data: { instance: 'a', other: 'b', otherHostname: 'clone' } };
    expect(when(two, connected)).toEqual({ ok: true, value: [alarm] });
    expect(when(two, connected, alarm)).toEqual({ ok: true, value: [] });
    expect(given(connected, alarm)).toEqual({ status: 'online', instance: 'a', version: '1', duplicate: 'b' });
    expect(given(connected, alarm, lost)).toEqual({ status: 'offline', instance: 'a', version: '1' });
  });
});
