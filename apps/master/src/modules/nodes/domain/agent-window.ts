import { type Refusal, refuse } from '#kernel';

/** The versions of agents that get work, both ends included. `newest` with two numbers means every version that begins with them. */
export interface AgentWindow {
  readonly oldest: string;
  readonly newest: string;
}

const parts = (version: string): { readonly numbers: readonly number[]; readonly pre: string | undefined } | undefined => {
  const found = /^(\d{1,9}(?:\.\d{1,9}){1,2})(?:-([0-9A-Za-z.-]+))?$/.exec(version);
  return found ? { numbers: (found[1] ?? '').split('.').map(Number), pre: found[2] } : undefined;
};

const comparePre = (a: string | undefined, b: string | undefined): number => {
  if (a === b) return 0;
  // 0.2.0-rc.1 comes before 0.2.0.
  if (a === undefined) return 1;
  return b === undefined ? -1 : a.localeCompare(b, 'en', { numeric: true });
};

/** Negative when `a` is older than `b`, 0 when as old; by the numbers that both have, then by what follows a dash. NaN when one is no version. */
export const compareVersions = (a: string, b: string): number => {
  const [one, two] = [parts(a), parts(b)];
  if (!one || !two) return Number.NaN;
  const shared = Math.min(one.numbers.length, two.numbers.length);
  for (let i = 0; i < shared; i++) {
    const difference = (one.numbers[i] ?? 0) - (two.numbers[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return shared < 3 ? 0 : comparePre(one.pre, two.pre);
};

/** Why an agent of this version gets no work: `agent-too-old` or `agent-too-new`; undefined inside the window, and before it has said its version. */
export const gateOf = (version: string | undefined, { oldest, newest }: AgentWindow): Refusal | undefined => {
  if (version === undefined) return undefined;
  const range = `this master works with ${oldest} to ${newest}${newest.split('.').length < 3 ? '.x' : ''}`;
  if (!(compareVersions(version, oldest) >= 0)) {
    return refuse('unavailable', 'agent-too-old', `The agent is version ${version} and ${range}; upgrade the agent with "holdfast nodes upgrade"`);
  }
  if (compareVersions(version, newest) > 0) {
    return refuse('unavailable', 'agent-too-new', `The agent is version ${version} and ${range}; upgrade the masters first, or set HOLDFAST_AGENT_VERSION_MAX`);
  }
  return undefined;
};
