import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { NatsConnection } from 'nats';
import { IsNull, Not, Repository } from 'typeorm';
import { protocolVersion } from '#contracts';
import type { InstallationKeys } from '#identity';
import { type Clock, type Logger, messageOf, rfc3339 } from '#kernel';
import { CommandPublisher } from '#messaging';
import { BUS, CLOCK, KEYS, LOGGER } from '../../../platform/index.ts';
import { CredentialRow } from '../read-models/credential.entity.ts';

/** Milliseconds until a rotation that is not answered is told again for the first time; twice as long before each further time. */
const againMs = 15_000;

/**
 * Which telling is due when an agent has been waited for so long (milliseconds): 0 is the first. Counted from the request, so that every master chooses the
 * same number at the same time and the stream keeps one; the clock of a master may be behind that of the one that was asked.
 */
export const tellingAt = (waitedMs: number): number => Math.floor(Math.log2(Math.max(0, waitedMs) / againMs + 1));

/** A rotation that an agent is to be told of. */
export interface OpenRotation {
  readonly node: string;
  readonly rotation: string;
  /** RFC 3339. */
  readonly requestedAt: string;
}

/** Tells agents that they are to make a new key. */
@Injectable()
export class RotationTeller {
  private readonly publisher: CommandPublisher;
  /** How often this master has told each rotation that waits. */
  private readonly told = new Map<string, number>();

  constructor(
    @InjectRepository(CredentialRow) private readonly rows: Repository<CredentialRow>,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(BUS) bus: NatsConnection,
    @Inject(KEYS) keys: InstallationKeys,
  ) {
    this.publisher = new CommandPublisher(bus, keys.commandSigning, clock);
  }

  /** Tells it now. What is not stored now is told by the next pass: the event is there. */
  async tell(rotation: OpenRotation): Promise<void> {
    await this.send(rotation, 0).catch((error: unknown) => this.logger.warn('A rotation is told a little later', { node: rotation.node, reason: messageOf(error) }));
  }

  /** Tells the agents again whose answer is missing: a command may be lost with the server that held it. */
  async remind(): Promise<void> {
    const now = this.clock.now();
    const open = await this.rows.findBy({ status: 'issued', rotationRequestedAt: Not(IsNull()) });
    for (const { node, rotation, rotationRequestedAt } of open) {
      if (rotation === null || rotationRequestedAt === null) continue;
      const repetition = tellingAt(now - rotationRequestedAt.getTime());
      if (this.told.get(rotation) === repetition) continue;
      await this.send({ node, rotation, requestedAt: rfc3339(rotationRequestedAt.getTime()) }, repetition);
      this.told.set(rotation, repetition);
    }
    const waiting = new Set(open.map((row) => row.rotation));
    for (const rotation of this.told.keys()) if (!waiting.has(rotation)) this.told.delete(rotation);
  }

  private send({ node, rotation, requestedAt }: OpenRotation, repetition: number): Promise<void> {
    return this.publisher.send({ protocol: protocolVersion, node, verb: 'rotate', rotation, issuedAt: requestedAt }, repetition);
  }
}
