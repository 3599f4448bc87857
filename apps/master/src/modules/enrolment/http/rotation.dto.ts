import { IsBoolean, IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { LinkAnswer } from './enrolment.dto.ts';
import { linkLives } from './install-options.dto.ts';

export class RotateRequest {
  /** Seconds that the old key goes on working once there is a new one. Default: `HOLDFAST_ROTATION_GRACE`, a day. Of no meaning for a link. */
  @IsOptional() @IsInt() @Min(0) @Max(2_592_000) graceSeconds?: number;
  /** Rotate by a link although the node is online: whatever has its key now is cut off as soon as the link is spent. */
  @IsOptional() @IsBoolean() byLink?: boolean;
  /** How long the link lives, if there is one. Default 15m. */
  @IsOptional() @IsIn(Object.keys(linkLives)) life?: keyof typeof linkLives;
  /** How the link installs the agent. Default systemd. */
  @IsOptional() @IsIn(['systemd', 'docker', 'foreground']) mode?: 'systemd' | 'docker' | 'foreground';
}

/** What was begun: the agent makes a new key by itself, or an operator takes the link to the host. */
export class RotateAnswer {
  by: 'agent' | 'link';
  /** With `agent`: shown by the node's credentials until the agent has connected with its new key. */
  rotation?: string;
  graceSeconds?: number;
  /** With `link`. */
  link?: LinkAnswer;
}

export class RevokeRequest {
  /** Shown in the audit log. */
  @IsOptional() @IsString() @MaxLength(500) reason?: string;
}
