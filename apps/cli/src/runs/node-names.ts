import type { ApiClient } from '../api-client.ts';

/** Names of all nodes by their ids, for people. A removed node has none. */
export const nodeNames = async (api: ApiClient): Promise<ReadonlyMap<string, string>> =>
  new Map((await api.all<{ readonly id: string; readonly name: string }>('/api/v1/nodes')).map(({ id, name }) => [id, name]));
