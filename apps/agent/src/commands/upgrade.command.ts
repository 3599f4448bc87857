import type { CommandContext } from './command-context.ts';

/**
 * There is an order to become another version. The order itself is in the signed answer to `self`, which is asked at every start and
 * every minute, so there is nothing here that a kill could lose; what is done about it is journalled by the upgrader.
 */
export const upgrade = ({ askNow }: Pick<CommandContext, 'askNow'>): void => askNow();
