import 'reflect-metadata';
import { plainToInstance, type ClassConstructor } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import { AppError, type FieldFault, type Result, err, ok, refuse, type Refusal, storableJson } from '#kernel';

const faultsOf = (errors: readonly ValidationError[], parent = ''): FieldFault[] =>
  errors.flatMap((error) => {
    const field = parent ? `${parent}.${error.property}` : error.property;
    const own = Object.values(error.constraints ?? {}).map((detail) => ({ field, detail }));
    return [...own, ...faultsOf(error.children ?? [], field)];
  });

/**
 * Turns untrusted JSON into an instance of a class with class-validator decorators. Unknown fields are faults.
 * The refusal has code `invalid-message` and lists every fault.
 */
export const parseMessage = <T extends object>(type: ClassConstructor<T>, plain: unknown): Result<T, Refusal> => {
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) {
    return err(refuse('validation', 'invalid-message', 'Expected a JSON object'));
  }
  const message = plainToInstance(type, plain);
  const faults = faultsOf(validateSync(message, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true }));
  if (faults.length === 0) return ok(message);
  return err(refuse('validation', 'invalid-message', `${type.name} has ${faults.length} faulty field(s): ${faults[0]?.detail}`, faults));
};

/** As `parseMessage`, from bytes of JSON text, of which characters that no database keeps are replaced; throws instead of refusing. */
export const decodeMessage = <T extends object>(type: ClassConstructor<T>, bytes: Uint8Array): T => {
  let plain: unknown;
  try {
    plain = JSON.parse(storableJson(Buffer.from(bytes).toString('utf8')));
  } catch (cause) {
    throw new AppError(refuse('validation', 'invalid-message', `${type.name} is not JSON`), { cause });
  }
  const parsed = parseMessage(type, plain);
  if (!parsed.ok) throw new AppError(parsed.error);
  return parsed.value;
};

/** JSON bytes of a message. */
export const encodeMessage = (message: object): Uint8Array => Buffer.from(JSON.stringify(message), 'utf8');
