import { type NatsOptions, type TestNats, startNatsServer } from './nats.ts';
import { type TestOperatorNats, startOperatorNats } from './operator-nats.ts';

interface StartNats {
  /** With keys and accounts, as an installation runs it. */
  (options: { readonly operatorMode: true }): Promise<TestOperatorNats>;
  /** Without accounts: everyone may do everything. */
  (options?: NatsOptions & { readonly operatorMode?: false }): Promise<TestNats>;
}

/** Starts a real nats-server with JetStream on a free port of loopback. Stop it in `afterAll`. */
export const startNats = ((options: NatsOptions & { readonly operatorMode?: boolean } = {}) =>
  options.operatorMode ? startOperatorNats() : startNatsServer(options)) as StartNats;
