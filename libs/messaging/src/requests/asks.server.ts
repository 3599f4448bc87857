import type { ClassConstructor } from 'class-transformer';
import {
  type Answer, type AskMethod, ClaimAsk, GrantAsk, IdKeyAsk, KnownChunksAsk, PacksAsk, RenewAsk, RotateAsk, RotatedAsk, SelfAsk, SyncAsk, askMethods, decodeMessage, encodeMessage, subjects,
} from '#contracts';
import { type SigningKey, signMessage } from '#identity';
import { fault } from '#kernel';
import { transports } from '../handlers.decorator.ts';
import { RequestServer, type RequestServerOptions } from './request.server.ts';

const questions: Readonly<Record<AskMethod, ClassConstructor<{ id: string }>>> = {
  claim: ClaimAsk, sync: SyncAsk, grant: GrantAsk, 'known-chunks': KnownChunksAsk, packs: PacksAsk, 'id-key': IdKeyAsk, self: SelfAsk,
  rotate: RotateAsk, rotated: RotatedAsk, renew: RenewAsk,
};
const isMethod = (text: string): text is AskMethod => (askMethods as readonly string[]).includes(text);

/** Queue group of the masters: one of them answers a question. */
const mastersGroup = 'masters';

/**
 * Answers the questions of agents on `hf.ask.*.*`, shared by all masters. A handler (`OnAsk`) gets the validated question and returns
 * an `Answer`; an error becomes the answer `refused` with the error's code. Every answer is signed for the asking node.
 */
export const asksServer = (
  choice: Pick<RequestServerOptions, 'connection' | 'clock' | 'log' | 'concurrency' | 'graceMs'>, key: SigningKey,
): RequestServer => {
  const signed = (node: string, answer: Answer<unknown>): Uint8Array => encodeMessage(signMessage(key, 'answer', node, answer));
  return new RequestServer({
    ...choice,
    subject: subjects.allAsks,
    queue: mastersGroup,
    transport: transports.asks,
    decode: ({ method, data }) => {
      if (!isMethod(method)) throw fault('not-found', 'unknown-method', 'There is no such question; the agent may be newer than this master');
      const payload = decodeMessage(questions[method], data);
      return { id: payload.id, payload };
    },
    succeed: ({ node }, _id, result) => signed(node, result as Answer<unknown>),
    fail: ({ node }, id, failure) => signed(node, { id, status: 'refused', ...failure }),
  });
};
