import { type ArgumentMetadata, ValidationPipe, type ValidationError } from '@nestjs/common';
import { AppError, type FieldFault, fault, refuse } from '#kernel';

const faultsOf = (errors: readonly ValidationError[], parent = ''): FieldFault[] =>
  errors.flatMap((error) => {
    const field = parent ? `${parent}.${error.property}` : error.property;
    const own = Object.values(error.constraints ?? {}).map((detail) => ({ field, detail }));
    return [...own, ...faultsOf(error.children ?? [], field)];
  });

/** Code `invalid-request`, with one entry of `errors[]` for each fault. */
export const invalidRequest = (faults: readonly FieldFault[]): AppError =>
  new AppError(refuse('validation', 'invalid-request', `Correct ${[...new Set(faults.map(({ field }) => field))].join(', ')} and send again`, faults));

const nullable = new WeakMap<object, Set<string | symbol>>();

/** Marks a field of a body in which `null` has a meaning of its own; everywhere else it is a fault. */
export const MayBeNull = (): PropertyDecorator => (prototype, property) => {
  nullable.set(prototype, new Set([...(nullable.get(prototype) ?? []), property]));
};

const mayBeNull = (type: ArgumentMetadata['metatype'], property: string): boolean => {
  for (let prototype: unknown = type?.prototype; typeof prototype === 'object' && prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
    if (nullable.get(prototype)?.has(property)) return true;
  }
  return false;
};

/** Paths of what is `null` in a body. Validators of optional fields let it pass, and nothing behind them expects it. */
const nullsOf = (value: unknown, path: string): string[] => {
  if (value === null) return [path];
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, inner]) => nullsOf(inner, path ? `${path}.${name}` : name));
};

const noSuchId = () => fault('not-found', 'no-such-id', 'Nothing has this id; ids look like run_0123456789abcdefghjk, and lists name them');

/** Nest's pipe, and two rules more: `null` is a fault where it has no meaning, and an id in a path that no id can be like is one of nothing. */
class InputPipe extends ValidationPipe {
  override transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'param' && metadata.data === 'id' && !/^[\w-]{1,128}$/.test(String(value))) throw noSuchId();
    if (metadata.type === 'body' && value !== null) {
      const nulls = nullsOf(value, '').filter((path) => !mayBeNull(metadata.metatype, path));
      if (nulls.length > 0) throw invalidRequest(nulls.map((field) => ({ field, detail: `${field} must not be null; leave it out instead` })));
    }
    return super.transform(value, metadata) as Promise<unknown>;
  }
}

/** Turns bodies and query strings into DTOs. A field that the DTO does not name is a fault, as is a wrong one; all are told at once. */
export const validationPipe = (): ValidationPipe =>
  new InputPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    validationError: { target: false, value: false },
    exceptionFactory: (errors: ValidationError[]) => invalidRequest(faultsOf(errors)),
  });
