import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Clock, IdSource, Logger } from '#kernel';
import { CLOCK, Commands, IDS, LOGGER, ReconcileLoop, systemContext } from '../../platform/index.ts';
import { enrolmentDecider } from './domain/enrolment.decide.ts';
import { EnrolmentLinks } from './enrolment-links.query.ts';

const everyMs = 15_000;
/** Links of one pass; more wait for the next one. */
const most = 200;

/** Says in the log that links have expired. Nothing waits for it: a link is refused by its own date. A reconciler. */
@Injectable()
export class LinkExpiry implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: ReconcileLoop;

  constructor(
    private readonly links: EnrolmentLinks,
    private readonly commands: Commands,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(IDS) private readonly ids: IdSource,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.loop = new ReconcileLoop({ name: 'enrolment links', everyMs, pass: () => this.pass() }, clock, logger);
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.loop.stop();
  }

  /** One pass of the duty; two masters at once make one event a link, because the second finds it expired. */
  async pass(): Promise<void> {
    for (const id of await this.links.due(most)) {
      const context = systemContext(this.clock, 'enrolment', this.ids.next('cmd'));
      await this.commands.attempt(context, (unit) => unit.decide(enrolmentDecider, id, { type: 'ExpireLink', now: context.time }));
    }
  }
}
