import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AppError, type Clock, fault, systemClock } from '#kernel';
import { environment } from '#config/environment';
import { type ApiAccess, ApiClient, problemOf } from './api-client.ts';
import { Output } from './output.ts';

/** Options that every command understands. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly url?: string;
}

/** What commands work with. */
export class CommandContext {
  readonly clock: Clock = systemClock;
  readonly variables = environment();
  /** Folder of the checkout or installation: the parent of `dist/`. */
  readonly root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');
  private outputMade?: Output;
  /** Told by a command that ends with another code than 0 without an error. */
  onExitCode: (code: number) => void = () => undefined;

  constructor(private readonly options: () => GlobalOptions) {}

  get output(): Output {
    return (this.outputMade ??= new Output(this.options().json ?? false));
  }

  /** Version of this installation. */
  version(): string {
    return (JSON.parse(readFileSync(join(this.root, 'package.json'), 'utf8')) as { readonly version: string }).version;
  }

  /** Directory of the embedded stack. */
  dataDirectory(given?: string): string {
    return resolve(given ?? this.variables['HOLDFAST_DATA'] ?? join(this.root, '.holdfast'));
  }

  /** A variable, or the content of the file that its `_FILE` twin names, without the line's end. */
  setting(name: string): string | undefined {
    const file = this.variables[`${name}_FILE`];
    return file ? readFileSync(file, 'utf8').trim() : this.variables[name];
  }

  /** An interface that is logged in: by API key, by name and password, or as first admin of the embedded stack on this machine. */
  async api(): Promise<ApiClient> {
    const url = this.options().url ?? this.setting('HOLDFAST_URL');
    if (url && !/^https?:\/\/./.test(url)) throw fault('validation', 'invalid-arguments', 'The address of a master begins with http:// or https://; correct --url or HOLDFAST_URL');
    const token = this.setting('HOLDFAST_TOKEN');
    const password = this.setting('HOLDFAST_PASSWORD');
    if (url && token) return new ApiClient({ url, token });
    if (url && password) return login(url, this.setting('HOLDFAST_USER') ?? 'admin', password);
    const embedded = join(this.dataDirectory(), 'access.json');
    if (!existsSync(embedded)) {
      throw fault('validation', 'no-master-known', 'Say where the master is: HOLDFAST_URL and HOLDFAST_TOKEN (an API key), or start one with holdfast up');
    }
    const access = JSON.parse(readFileSync(embedded, 'utf8')) as { url: string; user: string; passwordFile: string };
    return login(url ?? access.url, access.user, readFileSync(access.passwordFile, 'utf8').trim());
  }
}

/** Why nobody is logged in: the master says so, or it is no master that answered. */
const loginFault = async (response: Response, name: string): Promise<AppError> => {
  const said = await problemOf(response);
  if (said.code === 'wrong-credentials') return fault('unauthorized', 'login-failed', `${name} could not log in; was the password changed?`);
  return said;
};

/** Logs in with name and password; the client carries the session's cookie. */
export const login = async (url: string, name: string, password: string): Promise<ApiClient> => {
  const response = await new ApiClient({ url }).send('POST', '/api/v1/sessions', { name, password });
  const cookie = response.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ');
  if (!response.ok || !cookie) throw await loginFault(response, name);
  const access: ApiAccess = { url, cookie };
  return new ApiClient(access);
};
