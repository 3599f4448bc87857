import type { Socket } from 'node:net';

/** Where a connection goes. */
export interface Endpoint {
  /** Name or address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Opens a connection some other way than straight: through a proxy. Rejects with an `AppError` that says what is in the way. */
export type Dial = (to: Endpoint) => Promise<Socket>;
