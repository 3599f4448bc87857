import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

interface Schema { readonly type?: string; readonly properties?: Readonly<Record<string, object>>; readonly required?: readonly string[] }
interface Body { readonly required?: boolean; readonly content: Readonly<Record<string, { readonly schema: { readonly $ref?: string } }>> }
interface Document { readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly requestBody?: Body }>>>>; readonly components: { readonly schemas: Readonly<Record<string, Schema>> } }

/** The file that `check:openapi` keeps equal to the code. */
const document = JSON.parse(readFileSync(join(import.meta.dirname, '../../../../../docs/openapi.json'), 'utf8')) as Document;
const { schemas } = document.components;
const bodies = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, { requestBody }]) => (requestBody ? [{ operation: `${method} ${path}`, requestBody }] : [])));

describe('the description of the interface', () => {
  it('says of no body that it must be there when nothing in it must', () => {
    const named = bodies.flatMap(({ operation, requestBody }) => {
      const name = requestBody.content['application/json']?.schema.$ref?.split('/').at(-1);
      return name === undefined ? [] : [{ operation, required: requestBody.required ?? false, expected: (schemas[name]?.required ?? []).length > 0 }];
    });
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(({ required, expected }) => required !== expected)).toEqual([]);
    expect(bodies.find(({ operation }) => operation === 'post /api/v1/tasks/{id}:run')?.requestBody.required).toBe(false);
    expect(bodies.find(({ operation }) => operation === 'post /api/v1/nodes:upgrade')?.requestBody.required).toBe(true);
  });

  it('names the fields of every object, those of progress among them', () => {
    expect(Object.entries(schemas).filter(([, { type, properties }]) => type === 'object' && Object.keys(properties ?? {}).length === 0).map(([name]) => name)).toEqual([]);
    expect(Object.keys(schemas['ProgressAnswer']?.properties ?? {})).toEqual(expect.arrayContaining(['totalFiles', 'estimated', 'remainingMs', 'elapsedMs']));
  });
});
