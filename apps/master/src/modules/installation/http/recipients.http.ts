import { Body, Controller, Get, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type CommandContext, Context, NeedsRole } from '../../../platform/index.ts';
import { RecoveryRecipients } from '../recovery-recipients.ts';
import { RecoveryRecipientBody, RecoveryRecipientList } from './recipients.dto.ts';

/** Recovery recipients of the installation. */
@ApiTags('recipients')
@Controller('api/v1/recipients')
export class RecipientsHttp {
  constructor(private readonly recipients: RecoveryRecipients) {}

  @Get()
  async list(): Promise<RecoveryRecipientList> {
    return { items: [...await this.recipients.list()] };
  }

  /** Every later attempt wraps its keys to this recipient too, and repositories that exist get another wrapping of theirs. */
  @NeedsRole('admin')
  @Post()
  async add(@Context() context: CommandContext, @Body() body: RecoveryRecipientBody): Promise<RecoveryRecipientBody> {
    const added = { class: body.class, recipient: body.recipient };
    await this.recipients.add(context, added);
    return added;
  }
}
