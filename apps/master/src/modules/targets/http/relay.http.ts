import { Controller, Get, Head, HttpCode, Inject, Put, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { AppError, type Clock, fault, hasCode } from '#kernel';
import { type RelayGrant, receiveObject, semaphore, verifyRelayGrant } from '#storage';
import { CLOCK, Public } from '../../../platform/index.ts';
import { TargetStores } from '../target-stores.ts';

/** Objects in the hands of the relay at the same time; further ones wait. */
const atOnce = 16;
/** Bytes of an object that are read and sent at a time. */
const partBytes = 4 * 1024 * 1024;

const lengthOf = (request: Request): number | undefined => {
  const text = request.header('content-length');
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
};

/** What the sender got wrong is a malformed request, as S3 answers it. */
const wrongBytes = (error: unknown): never => {
  if (hasCode(error, 'object-mismatch')) throw fault('validation', 'object-mismatch', error.detail, { cause: error });
  throw error;
};

/** Lets holders of a one-object grant write or read that object of a target that cannot sign grants itself. The grant is the login. */
@ApiExcludeController()
@Public()
@Controller('relay')
export class RelayHttp {
  private readonly limit = semaphore(atOnce);

  constructor(private readonly stores: TargetStores, @Inject(CLOCK) private readonly clock: Clock) {}

  /** 201 when the object was made, 412 when it was there already: the bytes of both are those of the grant. */
  @Put('*path')
  async put(@Req() request: Request, @Res() response: Response): Promise<void> {
    const grant = this.verify(request, 'PUT');
    const { store } = await this.stores.open(grant.scope);
    const gone = new AbortController();
    request.once('close', () => { if (!request.complete) gone.abort(fault('unavailable', 'upload-broken-off', 'The upload was broken off; send it again')); });
    const outcome = await this.limit(gone.signal, () => receiveObject(store, request as AsyncIterable<Uint8Array>, grant, gone.signal)).catch(wrongBytes);
    if (outcome === 'exists') throw fault('stale', 'object-exists', 'The object is there already; it stays as it is');
    response.status(201).end();
  }

  // Before GET, which would otherwise answer HEAD by reading the object.
  @Head('*path') @HttpCode(200)
  async head(@Req() request: Request, @Res() response: Response): Promise<void> {
    const grant = this.verify(request, 'GET');
    const { store } = await this.stores.open(grant.scope);
    const info = await store.head(grant.name);
    if (!info) throw fault('not-found', 'object-not-found', `The target holds no object ${grant.name}`);
    response.set('content-length', String(info.size)).end();
  }

  @Get('*path')
  async get(@Req() request: Request, @Res() response: Response): Promise<void> {
    const grant = this.verify(request, 'GET');
    const { store } = await this.stores.open(grant.scope);
    const info = await store.head(grant.name);
    if (!info) throw fault('not-found', 'object-not-found', `The target holds no object ${grant.name}`);
    const range = this.range(request, info.size);
    if (!range) return void response.status(416).set('content-range', `bytes */${info.size}`).end();
    const [from, to] = range;
    response.status(from === 0 && to === info.size ? 200 : 206);
    response.set({ 'content-type': 'application/octet-stream', 'content-length': String(to - from), 'accept-ranges': 'bytes' });
    if (response.statusCode === 206) response.set('content-range', `bytes ${from}-${to - 1}/${info.size}`);
    for (let offset = from; offset < to && !response.destroyed; offset += partBytes) {
      const part = await this.limit(undefined, () => store.get(grant.name, { offset, length: Math.min(partBytes, to - offset) }));
      if (!response.write(part)) await new Promise<void>((resolve) => { response.once('drain', resolve).once('close', resolve); });
    }
    response.end();
  }

  private verify(request: Request, method: string): RelayGrant {
    const contentLength = lengthOf(request);
    const target = request.originalUrl.slice('/relay/'.length);
    const verified = verifyRelayGrant(this.stores.relaySecret, this.clock, { method, target, ...(contentLength === undefined ? {} : { contentLength }) });
    if (!verified.ok) throw new AppError(verified.error);
    return verified.value;
  }

  /** First byte and the byte after the last one; undefined when they are not in the object. */
  private range(request: Request, size: number): readonly [number, number] | undefined {
    const header = request.header('range');
    if (header === undefined) return [0, size];
    const match = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(header);
    const from = Number(match?.[1] ?? Number.NaN);
    const to = match?.[2] ? Number(match[2]) + 1 : size;
    return from < size && to > from ? [from, Math.min(to, size)] : undefined;
  }
}
