import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { ProblemAnswer } from '../http/problem.dto.ts';
import { version } from '../version.ts';

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

/** Names of the schemas that a part of the description refers to, directly. */
const referredIn = (part: unknown): string[] => [...JSON.stringify(part ?? null).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name = '']) => name);

/** Says of everything that is sent in bodies what is true of it: a field that is not named is refused. */
const closeRequests = (document: OpenAPIObject): OpenAPIObject => {
  const schemas: Schemas = document.components?.schemas ?? {};
  const bodies = Object.values(document.paths).flatMap((path) => Object.values(path as Record<string, { readonly requestBody?: unknown }>)).map(({ requestBody }) => requestBody);
  const seen = new Set<string>();
  for (let names = referredIn(bodies); names.length > 0; names = names.flatMap((name) => referredIn(schemas[name])).filter((name) => !seen.has(name))) {
    for (const name of names) seen.add(name);
  }
  for (const name of seen) {
    const schema = schemas[name];
    if (schema && !('$ref' in schema) && schema.type === 'object' && Object.keys(schema.properties ?? {}).length > 0) schema.additionalProperties = false;
  }
  return document;
};

interface Body { required?: boolean; readonly content: Readonly<Record<string, { readonly schema: { readonly $ref?: string } } | undefined>> }

/** A body of which nothing is required may be left out; Nest's description says of every body that it must be there. */
const freeBodies = (document: OpenAPIObject): OpenAPIObject => {
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path as Record<string, { readonly requestBody?: Body }>));
  for (const { requestBody } of operations) {
    const schema = document.components?.schemas?.[requestBody?.content['application/json']?.schema.$ref?.split('/').at(-1) ?? ''];
    if (requestBody && schema && !('required' in schema)) requestBody.required = false;
  }
  return document;
};

/** What agents ask over the bus is no part of this interface: Nest names the types of its handlers, and nothing refers to them. */
const withoutStrangers = (document: OpenAPIObject): OpenAPIObject => {
  const schemas: Schemas = document.components?.schemas ?? {};
  const referred = new Set(referredIn(document));
  for (const [name, schema] of Object.entries(schemas)) {
    if (!referred.has(name) && !('$ref' in schema) && Object.keys(schema.properties ?? {}).length === 0) Reflect.deleteProperty(schemas, name);
  }
  return document;
};

/** The compiler gives the words of a type in an order that follows from what it compiled before: the same sources would make different files. */
const inOrder = (key: string, value: unknown): unknown => (key === 'enum' && Array.isArray(value) ? [...(value as readonly string[])].sort() : value);

/** The description of the REST interface, made from the controllers; works on an application in preview mode, with no server at all. */
export const openApiDocument = (app: INestApplication): OpenAPIObject => {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Holdfast')
    .setDescription('Backups of a fleet. Errors are problem details (RFC 9457) with a stable code; lists are cursor pages; writes take an Idempotency-Key.')
    .setVersion(version)
    .addCookieAuth('holdfast_session', { type: 'apiKey', in: 'cookie' }, 'session')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'API key' }, 'apiKey')
    .addSecurityRequirements('session')
    .addSecurityRequirements('apiKey')
    .addGlobalResponse({
      status: 'default', description: 'Problem details',
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemAnswer' } } },
    })
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (controller, method) => `${controller.replace(/Http$/, '')}_${method}`,
    extraModels: [ProblemAnswer],
  });
  return withoutStrangers(freeBodies(closeRequests(JSON.parse(JSON.stringify(document, inOrder)) as OpenAPIObject)));
};

/** Serves the description at /api/openapi.json and a page to browse it at /api/docs. */
export const serveOpenApi = (app: INestApplication): void => {
  SwaggerModule.setup('api/docs', app, () => openApiDocument(app), { jsonDocumentUrl: 'api/openapi.json', customSiteTitle: 'Holdfast API' });
};
