import { Body, Controller, Delete, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { CONFIG, Caller, type MasterConfig, NeedsRole, type Principal, Public, publicUrlOf } from '../../../platform/index.ts';
import { readCookie, sessionCookie } from '../auth/session-cookie.ts';
import { Sessions, sessionMs } from '../auth/sessions.ts';
import { LoginRequest, Me } from './identity.dto.ts';

/** Log-in and log-out of people. */
@ApiTags('identity')
@Controller('api/v1')
export class SessionHttp {
  private readonly cookie;

  constructor(private readonly sessions: Sessions, @Inject(CONFIG) config: MasterConfig) {
    // Lax, not Strict: a link to the console keeps the log-in; a foreign page's POST still carries no cookie.
    this.cookie = { httpOnly: true, sameSite: 'lax', secure: publicUrlOf(config).startsWith('https:'), path: '/' } as const;
  }

  /** Logs in; the session is a cookie that scripts cannot read. Rate-limited by name and by address. */
  @Post('sessions') @HttpCode(200) @Public()
  async login(@Body() body: LoginRequest, @Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<Me> {
    const { user, cookie } = await this.sessions.begin(body.name, body.password, request.ip ?? 'unknown');
    response.cookie(sessionCookie, cookie, { ...this.cookie, maxAge: sessionMs });
    return { actor: `user:${user.id}`, name: user.name, role: user.role };
  }

  /** Ends this session. */
  @Delete('sessions/current') @HttpCode(204) @NeedsRole('viewer')
  async logout(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<void> {
    const cookie = readCookie(request.header('cookie'), sessionCookie);
    if (cookie !== undefined) await this.sessions.end(cookie);
    response.clearCookie(sessionCookie, this.cookie);
  }

  /** Who am I? */
  @Get('me')
  me(@Caller() caller: Principal): Me {
    return { actor: caller.actor, name: caller.name, role: caller.role };
  }
}
