const suspicious = /\\u(?:0000|[dD][89a-fA-F])/;
const escapes = /\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)/g;

/**
 * JSON text in which every NUL and every half of a surrogate pair has become U+FFFD: JSON may hold them, Postgres' `text` and `jsonb`
 * cannot, and one such row would stop everything behind it. The text must escape them (`JSON.stringify` does; raw ones are no JSON).
 */
export const storableJson = (json: string): string =>
  suspicious.test(json) ? json.replace(escapes, (token) => (/^\\u(?:0000|[dD][89a-fA-F]..)$/.test(token) ? '\\ufffd' : token)) : json;
