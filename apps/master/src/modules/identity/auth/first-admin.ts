import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { type Clock, type Logger, derivedId, hasCode, ok } from '#kernel';
import { CLOCK, CONFIG, Commands, LOGGER, type MasterConfig, systemContext } from '../../../platform/index.ts';
import { nameDecider, nameId } from '../../names/index.ts';
import { Users, createUser } from './users.ts';

const place = { kind: 'installation', name: 'first admin' } as const;

/** Creates the account that a new installation starts with: once, whatever the number of masters and starts. */
@Injectable()
export class FirstAdmin implements OnApplicationBootstrap {
  constructor(
    private readonly users: Users,
    private readonly commands: Commands,
    @Inject(CONFIG) private readonly config: MasterConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    // A fenced log has its admin already, or gets one at the start after it was mended.
    await this.create().catch((error: unknown) => { if (!hasCode(error, 'log-diverged')) throw error; });
  }

  private async create(): Promise<void> {
    const { name, password } = this.config.firstAdmin;
    const id = derivedId('user', 'first-admin');
    const context = systemContext(this.clock, 'first-admin', derivedId('cmd', 'first-admin'));
    if (password === undefined) return this.remind(context);
    await this.users.keep(id, password);
    const { events } = await this.commands.execute(context, async (unit) => {
      const { state } = await unit.load(nameDecider, nameId(place.kind, place.name));
      if (state.status === 'taken') return ok(undefined);
      const first = await unit.decide(nameDecider, nameId(place.kind, place.name), { type: 'TakeName', ...place, owner: id });
      return first.ok ? createUser(unit, { id, name, role: 'admin' }) : first;
    });
    if (events.length > 0) this.logger.info('first admin created', { user: id, name });
  }

  private async remind(context: ReturnType<typeof systemContext>): Promise<void> {
    const { value: taken } = await this.commands.execute(context, async (unit) => {
      const { state } = await unit.load(nameDecider, nameId(place.kind, place.name));
      return ok(state.status === 'taken');
    });
    if (!taken) this.logger.warn('there is no admin: set HOLDFAST_FIRST_ADMIN_PASSWORD_FILE and start again');
  }
}
