import { Module } from '@nestjs/common';
import { CredentialsModule } from '../credentials/credentials.module.ts';
import { NodesModule } from '../nodes/nodes.module.ts';
import { HostQuestions } from './host-questions.ts';
import { HostsHttp } from './http/hosts.http.ts';

/** Looks into hosts, through their agents: directories for choosing sources, databases that are there. Stores nothing. */
@Module({ imports: [NodesModule, CredentialsModule], controllers: [HostsHttp], providers: [HostQuestions] })
export class HostsModule {}
