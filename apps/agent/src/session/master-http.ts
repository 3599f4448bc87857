import { type AppError, fault, messageOf } from '#kernel';

const refusalOf = async (response: Response): Promise<AppError> => {
  const problem = (await response.json().catch(() => ({}))) as { code?: unknown; detail?: unknown };
  const code = typeof problem.code === 'string' ? problem.code : 'master-refused';
  const detail = typeof problem.detail === 'string' ? problem.detail : `The master answered with status ${response.status}`;
  return fault(response.status >= 500 ? 'unavailable' : response.status === 429 ? 'rate-limited' : 'refused', code, detail);
};

/** Posts JSON to a master; the answer's object, not yet checked. Throws the master's refusal, or `master-unreachable`. Waits 30 s at most. */
export const postToMaster = async (master: string, path: string, body: object): Promise<Record<string, unknown>> => {
  let response: Response;
  try {
    response = await fetch(new URL(path, master), {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), redirect: 'error', signal: AbortSignal.timeout(30_000),
    });
  } catch (cause) {
    throw fault('unavailable', 'master-unreachable', `Cannot reach ${master} (${messageOf(cause)}); check the URL and the network`, { cause });
  }
  if (!response.ok) throw await refusalOf(response);
  return (await response.json().catch(() => ({}))) as Record<string, unknown>;
};
