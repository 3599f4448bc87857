/** The outcome of something that is expected to be refused now and then: a value, or a refusal, never a throw. */
export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

/** A success that carries `value`. */
export const ok = <T>(value: T): Result<T, never> => ({ ok: true, value });

/** A refusal that carries `error`. */
export const err = <E>(error: E): Result<never, E> => ({ ok: false, error });
