import { Injectable } from '@nestjs/common';
import type { UnitOfWork } from '#event-store';
import { type Refusal, type Result, err, ok, refuse } from '#kernel';
import { type CommandContext, Commands } from '../../platform/index.ts';
import { beginChange, rename } from '../names/index.ts';
import { placesDecider, placesId } from '../places/index.ts';
import { presenceDecider } from '../presence/index.ts';
import { type NodeCommand, nodeDecider } from './domain/node.decide.ts';
import type { Labels } from './domain/node.events.ts';
import type { KnownNode } from './domain/node.state.ts';

/** What a node's fields shall be; what is absent stays. */
export interface NodeWish {
  readonly name?: string;
  readonly labels?: Labels;
  readonly slots?: number;
}

const known = async (unit: UnitOfWork, id: string): Promise<Result<{ state: KnownNode; revision: number }, Refusal>> => {
  const { state, revision } = await unit.load(nodeDecider, id);
  return state.status === 'known'
    ? ok({ state, revision })
    : err(refuse('not-found', 'node-not-found', 'There is no such node; list the nodes to see which there are'));
};

/** Removes the node, which must be offline and no task may use, and frees its name, in the batch of `unit`. */
const remove = async (unit: UnitOfWork, id: string): Promise<Result<unknown, Refusal>> => {
  const found = await known(unit, id);
  if (!found.ok) return found;
  const { state: presence } = await unit.load(presenceDecider, id);
  if (presence.status === 'online' || presence.status === 'suspect') {
    return err(refuse('conflict', 'node-online', 'The agent of this node is connected; end it ("holdfast-agent uninstall" on the host) or revoke its credential, then remove the node'));
  }
  const retired = await unit.decide(placesDecider, placesId, { type: 'RetirePlace', place: id });
  if (!retired.ok) return retired;
  const freed = await rename(unit, { kind: 'node', owner: id, from: found.value.state.name });
  return freed.ok ? unit.decide(nodeDecider, id, { type: 'RemoveNode' }) : freed;
};

/** Orders about nodes. */
@Injectable()
export class NodeCommands {
  constructor(private readonly commands: Commands) {}

  /** Announces a host and returns its id. Throws `name-taken`. */
  async add(context: CommandContext, wish: { readonly name: string; readonly labels?: Labels; readonly slots?: number }): Promise<string> {
    const id = context.newId('node');
    await this.commands.execute(context, async (unit) => {
      const named = await rename(unit, { kind: 'node', owner: id, to: wish.name });
      if (!named.ok) return named;
      return unit.decide(nodeDecider, id, { type: 'AddNode', name: wish.name, labels: wish.labels ?? {}, slots: wish.slots ?? 1 });
    });
    return id;
  }

  /** Throws `node-not-found`, `name-taken`, or `stale-revision` when the node is not at revision `seen` any more. */
  async change(context: CommandContext, id: string, wish: NodeWish, seen: number | undefined): Promise<void> {
    await this.commands.execute(context, async (unit) => {
      const found = await known(unit, id);
      if (!found.ok) return found;
      const { revision, state } = found.value;
      const begun = await beginChange(unit, { kind: 'node', owner: id, from: state.name, to: wish.name, revision, seen });
      if (!begun.ok) return begun;
      return unit.decide(nodeDecider, id, { type: 'ChangeNode', ...wish });
    });
  }

  /** No new run begins there. */
  drain(context: CommandContext, id: string, reason: string): Promise<void> {
    return this.decide(context, id, { type: 'DrainNode', reason });
  }

  resume(context: CommandContext, id: string): Promise<void> {
    return this.decide(context, id, { type: 'ResumeNode' });
  }

  /** Out of service: no work begins there and no schedule makes it any. */
  disable(context: CommandContext, id: string, reason: string): Promise<void> {
    return this.decide(context, id, { type: 'DisableNode', reason });
  }

  enable(context: CommandContext, id: string): Promise<void> {
    return this.decide(context, id, { type: 'EnableNode' });
  }

  /** Final. Throws `node-online` while its agent is there, and `node-in-use` while tasks name it; `also` decides in the same batch (its credentials are revoked with it). */
  async remove(context: CommandContext, id: string, also: (unit: UnitOfWork, node: string) => Promise<Result<unknown, Refusal>>): Promise<void> {
    await this.commands.execute(context, async (unit) => {
      const others = await also(unit, id);
      return others.ok ? remove(unit, id) : others;
    });
  }

  private async decide(context: CommandContext, id: string, command: NodeCommand): Promise<void> {
    await this.commands.execute(context, (unit) => unit.decide(nodeDecider, id, command));
  }
}
