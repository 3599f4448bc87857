import { spawnSync } from 'node:child_process';

const ip = (...args: string[]): boolean => spawnSync('ip', args, { stdio: 'ignore' }).status === 0;

/**
 * A host of its own, as far as the network goes: a namespace with one link to this one. `here` is this host's address on the link, `there`
 * the other's. Needs root.
 */
export class OtherHost {
  private constructor(private readonly name: string, readonly here: string, readonly there: string) {}

  /** Undefined where namespaces cannot be made. */
  static make(): OtherHost | undefined {
    const number = process.pid % 16_384;
    const net = `10.${200 + (number >> 12)}.${(number >> 4) & 255}`;
    const host = new OtherHost(`hf-${number}`, `${net}.${(number & 15) * 4 + 1}`, `${net}.${(number & 15) * 4 + 2}`);
    const made = host.build();
    if (!made) host.remove();
    return made ? host : undefined;
  }

  private build(): boolean {
    const [outer, inner] = [`${this.name}-a`, `${this.name}-b`];
    return ip('netns', 'add', this.name) && ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', this.name) &&
      ip('addr', 'add', `${this.here}/30`, 'dev', outer) && ip('link', 'set', outer, 'up') &&
      ip('-n', this.name, 'addr', 'add', `${this.there}/30`, 'dev', inner) && ip('-n', this.name, 'link', 'set', inner, 'up') &&
      ip('-n', this.name, 'link', 'set', 'lo', 'up');
  }

  /** The words that run a program there. */
  command(...words: string[]): [string, string[]] {
    return ['ip', ['netns', 'exec', this.name, ...words]];
  }

  /** Takes the link away with the namespace. Programs in it go on without a network. */
  remove(): void {
    ip('link', 'del', `${this.name}-a`);
    ip('netns', 'del', this.name);
  }
}
