import { type AppError, fault, messageOf } from '#kernel';
import type { HttpAnswer, HttpSend } from '#storage';

const mostBytes = 262_144;

const jsonOf = (body: Uint8Array): Record<string, unknown> => {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8')) as Record<string, unknown>;
  } catch {
    return {};
  }
};

const refusalOf = ({ status, body }: HttpAnswer): AppError => {
  const problem = jsonOf(body);
  const code = typeof problem['code'] === 'string' ? problem['code'] : 'master-refused';
  const detail = typeof problem['detail'] === 'string' ? problem['detail'] : `The master answered with status ${status}`;
  return fault(status >= 500 ? 'unavailable' : status === 429 ? 'rate-limited' : 'refused', code, detail);
};

const send = async (http: HttpSend, master: string, path: string, body: object): Promise<HttpAnswer> => {
  const [url, headers] = [new URL(path, master).href, { 'content-type': 'application/json' }];
  try {
    return await http({ method: 'POST', url, headers, body: [Buffer.from(JSON.stringify(body))], maxBytes: mostBytes, signal: AbortSignal.timeout(30_000) });
  } catch (cause) {
    throw fault('unavailable', 'master-unreachable', `Cannot reach ${master} (${messageOf(cause)}); check the URL and the network`, { cause });
  }
};

/** Posts JSON to a master; the answer's object, not yet checked. Throws the master's refusal, or `master-unreachable`. Waits 30 s at most. */
export const postToMaster = async (http: HttpSend, master: string, path: string, body: object): Promise<Record<string, unknown>> => {
  const answer = await send(http, master, path, body);
  if (answer.status < 200 || answer.status > 299) throw refusalOf(answer);
  return jsonOf(answer.body);
};
