import { IsIn, IsISO8601, IsOptional, IsString, Length, Matches, MaxLength } from 'class-validator';
import { PageQuery, type Role, roles } from '../../../platform/index.ts';

/** Who wants in. */
export class LoginRequest {
  @IsString() @MaxLength(200) name: string;
  @IsString() @MaxLength(256) password: string;
}

/** Who is logged in. */
export class Me {
  /** `user:<id>` or `key:<id>`. */
  actor: string;
  name: string;
  role: Role;
}

export class CreateUserRequest {
  @IsString() @Length(1, 64) @Matches(/^\P{Cc}+$/u, { message: 'name must not hold control characters' }) name: string;
  @IsIn(roles) role: Role;
  @IsString() @Length(12, 256) password: string;
}

export class ChangeUserRequest {
  @IsIn(roles) role: Role;
}

export class ChangePasswordRequest {
  @IsString() @Length(12, 256) password: string;
}

export class UserAnswer {
  id: string;
  revision: number;
  name: string;
  role: Role;
  status: 'active' | 'disabled';
  /** RFC 3339. */
  createdAt: string;
}

export class UserPage {
  items: UserAnswer[];
  nextCursor?: string;
}

export class CreateApiKeyRequest {
  @IsString() @Length(1, 64) @Matches(/^\P{Cc}+$/u, { message: 'name must not hold control characters' }) name: string;
  @IsIn(roles) role: Role;
  /** RFC 3339; absent: until it is revoked. */
  @IsOptional() @IsISO8601({ strict: true, strictSeparator: true }) expiresAt?: string;
}

export class ApiKeyAnswer {
  id: string;
  revision: number;
  name: string;
  role: Role;
  status: 'active' | 'revoked';
  createdAt: string;
  createdBy: string;
  expiresAt?: string;
}

export class ApiKeyPage {
  items: ApiKeyAnswer[];
  nextCursor?: string;
}

/** The only answer that holds the key's secret. */
export class ApiKeyCreatedAnswer {
  id: string;
  /** Send it as `Authorization: Bearer`. */
  secret: string;
}

export class IdAnswer {
  id: string;
}

export class IdentityQuery extends PageQuery {}
