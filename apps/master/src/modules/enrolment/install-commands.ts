import type { InstallOptions } from './domain/enrolment.events.ts';

/** What an operator types on the host. */
export interface InstallCommands {
  readonly command: string;
  /** The token is among no program's arguments, and a web page in place of the script is named as such. */
  readonly checkedCommand: string;
}

/** Begins the second line of every script, and nothing that a proxy puts in its place. */
const mark = '# holdfast-install v1';

/** The commands that fetch the script of a link from `master` and run it. The host trusts the authority of the link only with the flag for it. */
export const installCommands = (master: string, token: string, { ca, proxy }: InstallOptions): InstallCommands => {
  // Where the certificate cannot be checked yet, the operator gives the authority's file to curl.
  const curl = `curl -fsSL${ca ? ' --cacert ca.pem' : ''}${proxy ? ` --proxy ${proxy}` : ''}`;
  const url = `${master}/install/${token}`;
  const refuse = `{ echo "holdfast: what came is not the install script; look at the URL and at proxies on the way" >&2; exit 1; }`;
  return {
    command: `${curl} ${url} | sh`,
    checkedCommand: `(umask 077; f=$(mktemp) && trap 'rm -f "$f"' EXIT && printf 'url="%s"' '${url}' | ${curl} -K - -o "$f" && { grep -q '^${mark}$' "$f" || ${refuse}; } && sh "$f")`,
  };
};
