import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { OnCommand } from '#messaging';
import { CommandIntake } from './command-intake.ts';

/** Where commands come in from the bus. */
@Controller()
export class CommandsController {
  constructor(private readonly intake: CommandIntake) {}

  /** When it returns the command is in the journal, and the transport acknowledges it; what it throws is told apart there. */
  @OnCommand()
  take(@Payload() bytes: Uint8Array): void {
    this.intake.take(bytes);
  }
}
