import { Module } from '@nestjs/common';
import { LiveHttp } from './live.http.ts';
import { LiveHub } from './live-hub.ts';

/** What has just changed, for browsers. */
@Module({ controllers: [LiveHttp], providers: [LiveHub] })
export class LiveModule {}
