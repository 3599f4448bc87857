import { Inject, Injectable } from '@nestjs/common';
import type { UnitOfWork } from '#event-store';
import { type Clock, type IdSource, type Refusal, type Result, err, ok, refuse } from '#kernel';
import { CLOCK, CONFIG, type CommandContext, Commands, IDS, type MasterConfig, systemContext } from '../../../platform/index.ts';
import { nodeDecider } from '../../nodes/index.ts';
import { Credentials } from '../credentials.service.ts';
import { credentialDecider, credentialId } from '../domain/credential.decide.ts';
import { RotationTeller } from './rotation-teller.ts';

/** A rotation that was asked for. */
export interface Rotation {
  readonly id: string;
  /** Seconds that the old key goes on working once there is a new one. */
  readonly graceSeconds: number;
}

/** A new key pair and the one that it replaces, the proofs of both checked. */
export interface NewKey {
  readonly rotation: string;
  readonly current: string;
  readonly publicKey: string;
}

const notEnrolled = refuse('refused', 'node-not-enrolled', 'The node has no credential to rotate; give its host an enrolment link');
const removed = refuse('not-found', 'node-not-found', 'There is no such node; list the nodes to see which there are');

/** Rotations of nodes that are there: asked for by people, done by agents, decided here. */
@Injectable()
export class Rotations {
  constructor(
    private readonly credentials: Credentials,
    private readonly commands: Commands,
    private readonly teller: RotationTeller,
    @Inject(CONFIG) private readonly config: MasterConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(IDS) private readonly ids: IdSource,
  ) {}

  /**
   * Asks the node's agent for a new key pair. Throws `node-not-found`, `node-not-enrolled`, `credential-revoked`, and
   * `rotation-under-way` while an earlier one is.
   */
  async request(context: CommandContext, node: string, graceSeconds = this.config.rotationGrace): Promise<Rotation> {
    const id = context.newId('rot');
    await this.commands.execute(context, async (unit) => {
      const current = await this.currentKey(unit, node);
      if (!current.ok) return current;
      return unit.decide(credentialDecider, credentialId(current.value), { type: 'RequestRotation', rotation: id, graceSeconds, now: context.time });
    });
    await this.teller.tell({ node, rotation: id, requestedAt: context.time });
    return { id, graceSeconds };
  }

  /** No longer waits for the agent's answer; the key that it has stays. Throws `rotation-not-open`, and `rotation-answered` when it came already. */
  async cancel(context: CommandContext, node: string): Promise<void> {
    await this.commands.execute(context, async (unit) => {
      const current = await this.currentKey(unit, node);
      return current.ok ? unit.decide(credentialDecider, credentialId(current.value), { type: 'CancelRotation', now: context.time }) : current;
    });
  }

  /**
   * Decides that the new key is the node's and the old one ends after its grace; gives the new key's token. One batch: there is no
   * moment in which the node has no key, and the same question gets the same answer.
   */
  async answer(node: string, { rotation, current, publicKey }: NewKey): Promise<Result<string, Refusal>> {
    const context = this.contextOf(node);
    const decided = await this.commands.attempt(context, async (unit) => {
      const known = await unit.load(nodeDecider, node);
      if (known.state.status !== 'known') return err(removed);
      const rotated = await this.decideFor(unit, node, current, { type: 'Rotate', rotation, successor: publicKey, now: context.time });
      if (!rotated.ok) return rotated;
      const issued = await this.credentials.issue(unit, node, publicKey, context.time, { rotation, replaces: current });
      if (!issued.ok) return issued;
      // A repetition must not bring back a key that has been replaced since.
      const replaced = rotated.value.length > 0 ? await unit.decide(nodeDecider, node, { type: 'ReplaceKey', publicKey }) : ok([]);
      return replaced.ok ? issued : replaced;
    });
    return decided.ok ? ok(this.credentials.token(decided.value.value)) : decided;
  }

  /** Decides that the agent has taken its new key up. */
  async takenUp(node: string, rotation: string, publicKey: string): Promise<Result<unknown, Refusal>> {
    return this.commands.attempt(this.contextOf(node), (unit) => this.decideFor(unit, node, publicKey, { type: 'TakeUp', rotation }));
  }

  /** Each question is a command of its own: a repetition is decided on what the first one left, and answered from it. */
  private contextOf(node: string): CommandContext {
    return { ...systemContext(this.clock, 'credentials', this.ids.next('cmd')), actor: `node:${node}` };
  }

  /** Decides about a key of this node, and of no other. */
  private async decideFor(unit: UnitOfWork, node: string, publicKey: string, command: Parameters<typeof credentialDecider.decide>[0]) {
    const key = await this.credentials.find(unit, publicKey);
    if (!key.ok) return key;
    if (key.value.node !== node) return err(refuse('refused', 'key-of-another-node', 'This key belongs to another node'));
    return unit.decide(credentialDecider, credentialId(publicKey), command);
  }

  private async currentKey(unit: UnitOfWork, node: string): Promise<Result<string, Refusal>> {
    const { state } = await unit.load(nodeDecider, node);
    if (state.status !== 'known') return err(removed);
    return state.enrolment ? ok(state.enrolment.publicKey) : err(notEnrolled);
  }
}
