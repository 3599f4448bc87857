import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { Command, SignedMessage, decodeMessage, parseMessage } from '#contracts';
import { type InstallationKeys, openMessage } from '#identity';
import { AppError, controlNode } from '#kernel';
import { OnCommand } from '#messaging';
import { KEYS } from '../../../platform/index.ts';
import { Executor } from './executor.ts';

/** Commands to the masters' own executor, whose consumer all masters share; as distrustful as an agent. */
@Controller()
export class ExecutorSubscriber {
  constructor(private readonly executor: Executor, @Inject(KEYS) private readonly keys: InstallationKeys) {}

  @OnCommand()
  command(@Payload() bytes: Uint8Array): void {
    const command = parseMessage(Command, openMessage([this.keys.commandSigning], 'command', controlNode, decodeMessage(SignedMessage, bytes)));
    if (!command.ok) throw new AppError(command.error);
    const { run, attempt, verb } = command.value;
    if (run !== undefined && attempt !== undefined) this.executor.accept({ run, attempt, stop: verb === 'stop' });
  }
}
