import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsOptional, IsString, Matches, MaxLength, ValidateNested } from 'class-validator';
import { type HostReport, parseMessage } from '#contracts';
import { AppError } from '#kernel';
import type { HttpSend } from '#storage';
import { postToMaster } from '../session/master-http.ts';
import { PinnedKey } from '../state/node-identity.ts';

/** Body of `POST /api/v1/enrol`. Nothing in it is secret but the token, which is worth nothing once it is spent. */
export interface EnrolmentRequest {
  readonly token: string;
  /** NATS user key, `U...`. */
  readonly publicKey: string;
  /** `age1...` */
  readonly recipient: string;
  readonly host: HostReport;
}

/** Its answer. */
export class EnrolmentAnswer {
  @Matches(/^node_[0-9a-z]{20}$/) node: string;
  @IsString() @MaxLength(16_384) jwt: string;
  @IsArray() @ArrayMinSize(1) @ArrayMaxSize(16) @IsString({ each: true }) natsUrls: string[];
  @IsArray() @ArrayMinSize(1) @ArrayMaxSize(16) @ValidateNested({ each: true }) @Type(() => PinnedKey) commandKeys: PinnedKey[];
  /** PEM of the authority of NATS and master; absent when it is a public one. */
  @IsOptional() @IsString() @MaxLength(65_536) ca?: string;
  @IsOptional() @IsString() @MaxLength(64) installation?: string;
}

/** The fields this version knows; newer masters may say more. */
const known = ['node', 'jwt', 'natsUrls', 'commandKeys', 'ca', 'installation'] as const;

/** Spends the token. Throws the master's refusal, or `master-unreachable`. Waits 30 s at most. */
export const postEnrolment = async (http: HttpSend, master: string, request: EnrolmentRequest): Promise<EnrolmentAnswer> => {
  const body = await postToMaster(http, master, '/api/v1/enrol', request);
  const answer = parseMessage(EnrolmentAnswer, Object.fromEntries(known.flatMap((name) => (name in body ? [[name, body[name]]] : []))));
  if (!answer.ok) throw new AppError({ ...answer.error, code: 'enrolment-answer-invalid', detail: `${master} is no master of this version: ${answer.error.detail}` });
  return answer.value;
};
