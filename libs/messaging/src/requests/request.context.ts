import { BaseRpcContext } from '@nestjs/microservices';

/** What a handler may know of a request beside its payload: `@Ctx() context: RequestContext`. */
export class RequestContext extends BaseRpcContext<[{ readonly subject: string; readonly node: string }]> {
  get subject(): string {
    return this.args[0].subject;
  }

  /** The node in the subject; for questions of agents the sender's credential enforces it. */
  get node(): string {
    return this.args[0].node;
  }
}
