import { Module } from '@nestjs/common';
import { RecipientsHttp } from './http/recipients.http.ts';
import { RecoveryRecipients } from './recovery-recipients.ts';

/** The installation as a whole. */
@Module({ controllers: [RecipientsHttp], providers: [RecoveryRecipients], exports: [RecoveryRecipients] })
export class InstallationModule {}
