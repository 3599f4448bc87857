import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { type BrowseAnswer, BrowseRequest, type DiscoverAnswer, parseMessage } from '#contracts';
import { AppError } from '#kernel';
import { OnRpc } from '#messaging';
import { HostLook } from './host-look.ts';

/** Questions of masters about this host. */
@Controller()
export class HostController {
  constructor(private readonly look: HostLook) {}

  @OnRpc('browse')
  async browse(@Payload() params: unknown): Promise<BrowseAnswer> {
    const request = parseMessage(BrowseRequest, params);
    if (!request.ok) throw new AppError(request.error);
    return this.look.browse(request.value);
  }

  @OnRpc('discover')
  discover(): Promise<DiscoverAnswer> {
    return this.look.discover();
  }
}
