import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { Foundation } from './platform/foundation/foundation.ts';
import { AppModule } from './app.module.ts';
import { openApiDocument } from './platform/openapi/openapi.ts';

/**
 * Prints the OpenAPI description as JSON on the standard output. Nothing is started: in preview mode Nest makes no provider, so the
 * slices stand on a foundation that nobody touches. Needs the built files: the build adds the DTOs' schemas.
 */
const emit = async (): Promise<void> => {
  const app = await NestFactory.create(AppModule.with({} as Foundation), { preview: true, logger: false, abortOnError: false });
  process.stdout.write(`${JSON.stringify(openApiDocument(app), undefined, 2)}\n`);
};

await emit();
