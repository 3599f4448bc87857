import { IsString, MaxLength } from 'class-validator';

/** Asked by the script of a link, with the token in the body. */
export class InstallStatusRequest {
  @IsString() @MaxLength(200) token: string;
}

/** How far the installation of a link is. */
export class InstallStatusAnswer {
  link: 'open' | 'consumed' | 'expired' | 'revoked' | 'unknown';
  node?: string;
  presence?: 'online' | 'suspect' | 'offline' | 'never';
  /** What is known, in a sentence. */
  detail: string;
}
