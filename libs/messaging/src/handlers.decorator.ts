import { UseFilters, applyDecorators } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import type { AskMethod, RpcMethod } from '#contracts';
import { BusErrorFilter } from './error.filter.ts';

/** Transport ids: a handler belongs to exactly one of our servers, however many an application has. */
export const transports = {
  commands: Symbol('holdfast commands'),
  reports: Symbol('holdfast reports'),
  asks: Symbol('holdfast asks'),
  rpc: Symbol('holdfast rpc'),
} as const;

const event = (pattern: string, transport: symbol): MethodDecorator =>
  applyDecorators(EventPattern(pattern, transport) as MethodDecorator, UseFilters(BusErrorFilter));
const request = (pattern: string, transport: symbol): MethodDecorator =>
  applyDecorators(MessagePattern(pattern, transport), UseFilters(BusErrorFilter));

/** Pattern of the one handler of commands, and of the one handler of reports. */
export const patterns = { command: 'command', report: 'report' } as const;

/** Handles commands of this node: `(@Payload() bytes: Uint8Array, @Ctx() context: JetStreamContext)`. When it resolves, the command is acked. */
export const OnCommand = (): MethodDecorator => event(patterns.command, transports.commands);

/** Handles reports of all nodes: `(@Payload() report: IncomingReport, @Ctx() context: JetStreamContext)`. When it resolves, the report is acked. */
export const OnReport = (): MethodDecorator => event(patterns.report, transports.reports);

/** Answers a question of an agent: `(@Payload() ask: ClaimAsk, @Ctx() context: RequestContext): Promise<Answer<...>>`. */
export const OnAsk = (method: AskMethod): MethodDecorator => request(method, transports.asks);

/** Answers a request of a master to this node: `(@Payload() params: unknown): Promise<unknown>`. */
export const OnRpc = (method: RpcMethod): MethodDecorator => request(method, transports.rpc);
