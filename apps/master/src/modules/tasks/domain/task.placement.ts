import type { FieldFault } from '#kernel';

/** Words that a node must bear, all of them: `{ "site": "vienna", "tier": "db" }`. */
export type Selector = Readonly<Record<string, string>>;

/** What becomes of a run whose node is not there to begin it: offline, drained, or otherwise not to be given work. */
export const offlineRules = ['wait', 'skip', 'fail'] as const;
export type OfflineRule = (typeof offlineRules)[number];

/** `any`: one of the nodes that match, the least loaded. `all`: every one of them. */
export const placementModes = ['any', 'all'] as const;
export type PlacementMode = (typeof placementModes)[number];

/** The rule for nodes that are away; `waitSeconds` bounds a wait, after which the run fails. Absent: it waits as long as it takes. */
export interface OfflinePolicy {
  readonly offline: OfflineRule;
  readonly waitSeconds?: number;
}

/** Nodes by their ids, each with a run of its own; they cannot be removed while the task names them. */
export type NamedNodes = OfflinePolicy & { readonly nodes: readonly string[] };

/** Nodes by their labels, chosen anew at every start. */
export type SelectedNodes = OfflinePolicy & { readonly selector: Selector; readonly mode: PlacementMode };

/** On which nodes a task runs. */
export type TaskPlacement = NamedNodes | SelectedNodes;

export const selects = (placement: TaskPlacement): placement is SelectedNodes => 'selector' in placement;

/** The nodes that the placement names; none where it chooses by labels. */
export const namedNodes = (placement: TaskPlacement): readonly string[] => (selects(placement) ? [] : placement.nodes);

const mostLabels = 16;

const selectorFaults = (selector: Selector): FieldFault[] => {
  const labels = Object.entries(selector as Record<string, unknown>);
  const bad = labels.find(([key, value]) => !/^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$/.test(key) || typeof value !== 'string' || value.length > 128);
  return [
    ...(labels.length === 0 || labels.length > mostLabels ? [{ field: 'selector', detail: `Name 1 to ${mostLabels} labels that a node must have` }] : []),
    ...(bad === undefined ? [] : [{ field: 'selector', detail: `"${bad[0]}" is no label with a text, as nodes have them` }]),
  ];
};

const nodeFaults = (nodes: readonly string[]): FieldFault[] => [
  ...(nodes.length === 0 ? [{ field: 'nodes', detail: 'Name at least one node' }] : []),
  ...(new Set(nodes).size !== nodes.length ? [{ field: 'nodes', detail: 'Name each node once' }] : []),
];

const waitFaults = ({ offline, waitSeconds }: OfflinePolicy): FieldFault[] => {
  if (waitSeconds === undefined) return [];
  return [
    ...(offline === 'wait' ? [] : [{ field: 'waitSeconds', detail: `Is a bound for the rule wait; the rule is ${offline}` }]),
    ...(waitSeconds < 1 || waitSeconds > 30 * 86_400 ? [{ field: 'waitSeconds', detail: 'Give a time from 1 s to 30 days' }] : []),
  ];
};

/** What is wrong with a placement, all of it. */
export const placementFaults = (placement: TaskPlacement): FieldFault[] =>
  [...(selects(placement) ? selectorFaults(placement.selector) : nodeFaults(placement.nodes)), ...waitFaults(placement)];
