import type { UpgradeReport } from '#contracts';
import type { Decider } from '#event-store';
import { ok, unreachable } from '#kernel';
import type { NodeUpgradeOrdered, UpgradeEvent } from './upgrade.events.ts';

/** Orders to upgrade the agent of one node. Apart from the node, so that an agent's word never conflicts with somebody's edit. */
export type UpgradeState =
  | { readonly status: 'none' }
  | { readonly status: 'ordered' | 'done' | 'failed'; readonly order: NodeUpgradeOrdered['data'] };

export type UpgradeCommand =
  | { readonly type: 'OrderUpgrade'; readonly order: NodeUpgradeOrdered['data'] }
  /** The agent says which version it is, and what became of its last order. */
  | { readonly type: 'HearAgent'; readonly version: string; readonly report?: UpgradeReport };

const evolve = (state: UpgradeState, event: UpgradeEvent): UpgradeState => {
  switch (event.type) {
    case 'NodeUpgradeOrdered':
      return { status: 'ordered', order: event.data };
    case 'NodeUpgraded':
      return state.status === 'none' ? state : { ...state, status: 'done' };
    case 'NodeUpgradeFailed':
      return state.status === 'none' ? state : { ...state, status: 'failed' };
    default:
      return unreachable(event, 'upgrade event');
  }
};

const order = (wish: NodeUpgradeOrdered['data'], state: UpgradeState): readonly UpgradeEvent[] =>
  state.status === 'ordered' && state.order.sha256 === wish.sha256 && state.order.version === wish.version ? [] : [{ type: 'NodeUpgradeOrdered', data: wish }];

const failureWithout = 'The agent gave no reason; look at its log on the host';

const hear = ({ version, report }: Extract<UpgradeCommand, { type: 'HearAgent' }>, state: UpgradeState): readonly UpgradeEvent[] => {
  if (state.status !== 'ordered') return [];
  const { upgrade, version: wanted, from } = state.order;
  const own = report?.id === upgrade ? report : undefined;
  if (own?.stage === 'failed') {
    return [{ type: 'NodeUpgradeFailed', data: { upgrade, version: wanted, code: own.code ?? 'upgrade-failed', detail: own.detail ?? failureWithout } }];
  }
  // Without a word about the order the version came by another way, such as the install script.
  if (version !== wanted || (own && own.stage !== 'confirmed')) return [];
  return [{ type: 'NodeUpgraded', data: { upgrade, version, ...(from === undefined ? {} : { from }) } }];
};

/** Decides what an order becomes. Its id is the node's. */
export const upgradeDecider: Decider<UpgradeState, UpgradeCommand, UpgradeEvent> = {
  aggregate: 'upgrade',
  initialState: { status: 'none' },
  evolve,
  decide: (command, state) => {
    switch (command.type) {
      case 'OrderUpgrade':
        return ok(order(command.order, state));
      case 'HearAgent':
        return ok(hear(command, state));
      default:
        return unreachable(command, 'upgrade command');
    }
  },
};
