import {
  Body, type CanActivate, Controller, type ExecutionContext, Get, HttpCode, Inject, type INestApplication, Injectable, Module, Param, Post, Query,
} from '@nestjs/common';
import type { Request } from 'express';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, NestFactory } from '@nestjs/core';
import { IsInt, IsOptional, IsString, ValidateNested } from 'class-validator';
import { Type } from 'class-transformer';
import { type Server, get } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandHandler } from '#event-store';
import { FakeClock, countingIds, err, fault, ok, refuse, silentLogger } from '#kernel';
import { Commands } from '../commands/commands.ts';
import { CLOCK, COMMAND_HANDLER, FOLLOWER, IDS, LOGGER } from '../tokens.ts';
import { type CommandContext, Context } from './command-context.ts';
import { ContextInterceptor } from './context.interceptor.ts';
import { EtagInterceptor, IfMatch, requireRevision } from './etag.ts';
import { PageQuery } from './page.dto.ts';
import { setPrincipal } from './principal.ts';
import { ProblemFilter } from './problem.filter.ts';
import { answerUnread } from './unread-request.ts';
import { MayBeNull, validationPipe } from './validation.ts';

class Inner { @IsInt() count: number; }
class Thing {
  @IsString() name: string;
  @ValidateNested() @Type(() => Inner) inner: Inner;
  @IsOptional() @IsInt() size?: number;
  @IsOptional() @MayBeNull() @IsInt() limit?: number | null;
}

class Wish {
  @IsOptional() @IsInt() size?: number;
}

let caughtUp = true;

/** `fetch` adds `Cache-Control: no-cache` to conditional requests, which asks for the whole answer. */
const conditional = (url: string, etag: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    get(url, { headers: { 'if-none-match': etag } }, (answer) => resolve(answer.resume().statusCode)).once('error', reject);
  });

@Controller('things')
class Things {
  constructor(@Inject(Commands) private readonly commands: Commands) {}
  @Post() async create(@Context() context: CommandContext, @Body() body: Thing): Promise<object> {
    const { value } = await this.commands.execute(context, async () => ok({ id: context.newId('node'), revision: 1, name: body.name }));
    return value;
  }
  @Post('wished') @HttpCode(200) wished(@Body() body: Wish): object { return { size: body.size ?? 'any' }; }
  @Post('refused') @HttpCode(200) refused(@Context() context: CommandContext): Promise<unknown> {
    return this.commands.execute(context, async () => err(refuse('conflict', 'thing-taken', 'Choose another name')));
  }
  @Post('changed') changed(@IfMatch() seen: number | undefined): object {
    const checked = requireRevision(seen, 3);
    if (!checked.ok) throw fault(checked.error.kind, checked.error.code, checked.error.detail);
    return {};
  }
  @Get('broken') broken(): never { throw new Error('password=hunter2'); }
  @Get('one') one(): object { return { id: 'x', revision: 7 }; }
  @Get('by/:id') byId(@Param('id') id: string): object { return { id }; }
  @Get() list(@Query() page: PageQuery): object { return { limit: page.limit ?? null }; }
}

const handler: CommandHandler = {
  execute: async (_context, work) => {
    const result = await work({} as never);
    return result.ok ? ok({ value: result.value, events: [], sequence: 12 }) : result;
  },
};

/** Stands for the guard: whoever names a sender is that sender. */
@Injectable()
class TestGuard implements CanActivate {
  canActivate(host: ExecutionContext): boolean {
    const request = host.switchToHttp().getRequest<Request>();
    const sender = request.header('x-test-sender');
    if (sender) setPrincipal(request, { actor: `user:${sender}`, name: sender, role: 'admin' });
    return true;
  }
}

@Module({
  controllers: [Things],
  providers: [
    Commands,
    { provide: CLOCK, useValue: new FakeClock() },
    { provide: IDS, useValue: countingIds() },
    { provide: LOGGER, useValue: silentLogger },
    { provide: COMMAND_HANDLER, useValue: handler },
    { provide: FOLLOWER, useValue: { waitFor: async () => caughtUp } },
    { provide: APP_GUARD, useClass: TestGuard },
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_PIPE, useFactory: validationPipe },
    { provide: APP_INTERCEPTOR, useClass: ContextInterceptor },
    { provide: APP_INTERCEPTOR, useClass: EtagInterceptor },
  ],
})
class TestModule {}

describe('the HTTP edge', () => {
  let app: INestApplication;
  let base: string;
  beforeAll(async () => {
    app = await NestFactory.create(TestModule, { logger: false });
    await app.listen(0, '127.0.0.1');
    (app.getHttpServer() as Server).on('clientError', answerUnread);
    base = await app.getUrl();
  });
  afterAll(() => app.close());

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${base}/things${path}`, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } });
  const good = { name: 'a', inner: { count: 1 } };

  it('takes no body for an empty one, where nothing in it is required', async () => {
    const answer = await fetch(`${base}/things/wished`, { method: 'POST' });
    expect([answer.status, await answer.json()]).toEqual([200, { size: 'any' }]);
  });

  it('tells every faulty and every unknown field at once', async () => {
    const answer = await post('', { name: 3, inner: { count: 'x' }, extra: 1 });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    const problem = (await answer.json()) as { code: string; errors: { field: string }[] };
    expect(problem.code).toBe('invalid-request');
    expect(problem.errors.map(({ field }) => field).sort()).toEqual(['extra', 'inner.count', 'name']);
  });

  it('refuses null where it has no meaning, although the field may be left out', async () => {
    expect(await (await post('', { ...good, size: null, inner: { count: null } })).json()).toMatchObject({ status: 400, errors: [{ field: 'inner.count' }, { field: 'size' }] });
    expect((await post('', { ...good, limit: null })).status).toBe(201);
  });

  it('knows nothing by an id that no id can be like, and names each faulty field once', async () => {
    expect(await (await fetch(`${base}/things/by/${encodeURIComponent('../x y')}`)).json()).toMatchObject({ status: 404, code: 'no-such-id' });
    expect(await (await fetch(`${base}/things/by/run_1`)).json()).toEqual({ id: 'run_1' });
    expect(await (await fetch(`${base}/things?limit=abc`)).json()).toMatchObject({ status: 400, detail: 'Correct limit and send again' });
  });

  it('answers with a problem even where the head of a request is too long to be read', async () => {
    const answer = await fetch(`${base}/things?cursor=${'x'.repeat(20_000)}`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([431, 'application/problem+json; charset=utf-8']);
    expect(await answer.json()).toMatchObject({ status: 431, code: 'request-head-too-large' });
  });

  it('answers malformed JSON, unknown paths and bad queries with a code and a sentence', async () => {
    expect(await (await post('', '{')).json()).toMatchObject({ status: 400, code: 'malformed-request' });
    expect(await (await fetch(`${base}/nothing`)).json()).toMatchObject({ status: 404, code: 'no-such-path', instance: '/nothing' });
    expect(await (await fetch(`${base}/things?limit=0`)).json()).toMatchObject({ status: 400, errors: [{ field: 'limit' }] });
    expect(await (await fetch(`${base}/things?limit=20`)).json()).toEqual({ limit: 20 });
  });

  it('turns a refusal into its status and shows nothing of a fault of its own', async () => {
    expect(await (await post('/refused', {})).json()).toMatchObject({ status: 409, code: 'thing-taken', detail: 'Choose another name' });
    const broken = await fetch(`${base}/things/broken`);
    expect(broken.status).toBe(500);
    expect(await broken.text()).not.toContain('hunter2');
  });

  it('answers 201 when the write can be read, 202 with its position when it cannot yet', async () => {
    expect((await post('', good)).status).toBe(201);
    caughtUp = false;
    const late = await post('', good);
    caughtUp = true;
    expect([late.status, late.headers.get('holdfast-position')]).toEqual([202, '12']);
  });

  it('makes the same ids for the same sender and idempotency key', async () => {
    const sent = ['k1', 'k1', 'k2'].map((key) => ({ key, who: 'a' })).concat({ key: 'k1', who: 'b' });
    const [a, b, c, d] = await Promise.all(sent.map(async ({ key, who }) => ((await (await post('', good, { 'idempotency-key': key, 'x-test-sender': who })).json()) as { id: string }).id));
    expect(a).toBe(b);
    expect(new Set([a, c, d]).size).toBe(3);
    const [x, y] = await Promise.all([1, 2].map(async () => ((await (await post('', good, { 'idempotency-key': 'k1' })).json()) as { id: string }).id));
    expect(x).not.toBe(y);
  });

  it('carries the revision as ETag and refuses a stale If-Match with 412', async () => {
    const first = await fetch(`${base}/things/one`);
    expect(first.headers.get('etag')).toBe('"7"');
    expect(await conditional(`${base}/things/one`, '"7"')).toBe(304);
    expect(await (await post('/changed', {}, { 'if-match': '"2"' })).json()).toMatchObject({ status: 412, code: 'stale-revision' });
    expect((await post('/changed', {}, { 'if-match': '"3"' })).status).toBe(201);
    expect(await (await post('/changed', {}, { 'if-match': 'x' })).json()).toMatchObject({ status: 400, code: 'invalid-if-match' });
  });
});
