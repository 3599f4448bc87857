import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import type { NatsConnection } from 'nats';
import { nkeyFromSeed } from '#identity';
import type { Clock, Logger } from '#kernel';
import { rpcServer } from '#messaging';
import { nestLogger } from '#observability';
import { type NodeIdentity, readNodeFacts } from '../state/node-identity.ts';
import { readTextFile } from '../state/private-file.ts';
import type { StateDirectory } from '../state/state-directory.ts';
import { HostController } from './host.controller.ts';
import { type Allowed, HostLook } from './host-look.ts';

@Module({})
class HostModule {
  static of(look: HostLook): DynamicModule {
    return { module: HostModule, controllers: [HostController], providers: [{ provide: HostLook, useValue: look }] };
  }
}

/** What answering needs. */
export interface HostAnswers {
  readonly state: StateDirectory;
  readonly identity: NodeIdentity;
  readonly connection: NatsConnection;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly allowed: Allowed;
}

/** Begins to answer questions of masters about this host. Beside the agent's commands, so that neither waits for the other. Returns how to end. */
export const answerAboutHost = async ({ state, identity, connection, clock, logger, allowed }: HostAnswers): Promise<() => Promise<void>> => {
  const { node, commandKeys } = identity.facts;
  const strategy = rpcServer({ connection, clock, log: logger, graceMs: 1_000 }, {
    node,
    // Read anew for every question: masters announce other keys, and rotation replaces the node's own.
    pinned: () => readNodeFacts(state)?.commandKeys ?? commandKeys,
    own: () => nkeyFromSeed('user', readTextFile(state.natsSeed) ?? identity.natsSeed),
  });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(HostModule.of(new HostLook(clock, allowed)), { strategy, logger: nestLogger(logger), abortOnError: false });
  await app.listen();
  return () => app.close();
};
