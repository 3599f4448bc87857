import { ValidationPipe, type ValidationError } from '@nestjs/common';
import { AppError, type FieldFault, refuse } from '#kernel';

const faultsOf = (errors: readonly ValidationError[], parent = ''): FieldFault[] =>
  errors.flatMap((error) => {
    const field = parent ? `${parent}.${error.property}` : error.property;
    const own = Object.values(error.constraints ?? {}).map((detail) => ({ field, detail }));
    return [...own, ...faultsOf(error.children ?? [], field)];
  });

/** Code `invalid-request`, with one entry of `errors[]` for each fault. */
export const invalidRequest = (faults: readonly FieldFault[]): AppError =>
  new AppError(refuse('validation', 'invalid-request', `Correct ${faults.map(({ field }) => field).join(', ')} and send again`, faults));

/** Turns bodies and query strings into DTOs. A field that the DTO does not name is a fault, as is a wrong one; all are told at once. */
export const validationPipe = (): ValidationPipe =>
  new ValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    validationError: { target: false, value: false },
    exceptionFactory: (errors: ValidationError[]) => invalidRequest(faultsOf(errors)),
  });
