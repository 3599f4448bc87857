import { createHmac, timingSafeEqual } from 'node:crypto';

/** Name of the cookie that holds a session. */
export const sessionCookie = 'holdfast_session';

const signatureOf = (key: Uint8Array, token: string): string => createHmac('sha256', key).update(token).digest('base64url');

/** The cookie's value: the session's secret and an HMAC over it, so that guesses are refused without asking the database. */
export const signCookie = (key: Uint8Array, token: string): string => `${token}.${signatureOf(key, token)}`;

/** The session's secret in a cookie's value; undefined when this installation did not sign it. */
export const verifyCookie = (key: Uint8Array, value: string): string | undefined => {
  const dot = value.lastIndexOf('.');
  if (dot < 0) return undefined;
  const token = value.slice(0, dot);
  const [given, expected] = [Buffer.from(value.slice(dot + 1)), Buffer.from(signatureOf(key, token))];
  return given.length === expected.length && timingSafeEqual(given, expected) ? token : undefined;
};

/** The value of one cookie in a `Cookie` header. */
export const readCookie = (header: string | undefined, name: string): string | undefined =>
  header?.split(';').map((pair) => pair.trim()).find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
