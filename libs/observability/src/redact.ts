/** What stands in the place of a secret. */
export const redacted = '[redacted]';

/** Names of fields whose values are never shown, wherever they occur. */
const secretName = /pass(word|phrase)|secret|authorization|cookie|private_?key|^seed$|identity_?file|api_?key|access_?key|^jwt$|bearer|sealed_?keys/i;

/** Texts that are secrets whatever they are called: age identities, NATS seeds, our bearer secrets, PEM keys, tokens, URLs with a password. */
const secretTexts: readonly (readonly [RegExp, string])[] = [
  [/AGE-SECRET-KEY-[0-9A-Z-]+/gi, redacted],
  [/\bS[OAUNCX][A-Z2-7]{56}\b/g, redacted],
  [/\bhf[kes]_[A-Za-z0-9_-]{20,}/g, redacted],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, redacted],
  [/\bey[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g, redacted],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{8,}/gi, `$1 ${redacted}`],
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s/@]+@/gi, `$1:${redacted}@`],
  [/([?&](?:X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token|signature|token)=)[^&\s"]+/gi, `$1${redacted}`],
];

/** A text without the secrets that can be told by their shape. */
export const redactText = (text: string): string => secretTexts.reduce((result, [pattern, by]) => result.replace(pattern, by), text);

const maxDepth = 6;
const maxItems = 100;

const redactError = (error: Error, depth: number): object => ({
  type: error.name,
  message: redactText(error.message),
  ...(error.stack ? { stack: redactText(error.stack) } : {}),
  ...('code' in error ? { code: redact(error.code, depth + 1) } : {}),
  ...('internal' in error ? { internal: redact(error.internal, depth + 1) } : {}),
  ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
});

const redactObject = (value: object, depth: number): unknown => {
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Uint8Array) return `[${value.length} bytes]`;
  if (value instanceof Date) return value.toJSON();
  if (Array.isArray(value)) return value.slice(0, maxItems).map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).slice(0, maxItems).map(([key, item]) => [key, secretName.test(key) && item !== undefined ? redacted : redact(item, depth + 1)]),
  );
};

/** A copy of a value for a log line: no secret by name or by shape, no bytes, bounded in depth and length. */
export const redact = (value: unknown, depth = 0): unknown => {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? '[function]' : value;
  return depth >= maxDepth ? '[too deep]' : redactObject(value, depth);
};
