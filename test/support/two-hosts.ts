import { spawnSync } from 'node:child_process';

const ip = (...args: string[]): boolean => spawnSync('ip', args, { stdio: 'ignore' }).status === 0;

/** A host of its own, as far as the network goes. */
export interface Namespace {
  /** Its address for those who reach it. */
  readonly address: string;
  /** The words that run a program there. */
  command(...words: string[]): [string, string[]];
}

/**
 * Two hosts and an operator's desk, which is where this process is: `master` has a link to each of the others, and those two know
 * nothing of each other. Needs root.
 */
export class TwoHosts {
  private constructor(private readonly name: string, private readonly net: string, private readonly first: number) {}

  /** Undefined where namespaces cannot be made. */
  static make(): TwoHosts | undefined {
    const number = process.pid % 4096;
    const hosts = new TwoHosts(`hf2-${number}`, `10.${160 + (number >> 8)}.${number & 255}`, 0);
    const made = hosts.build();
    if (!made) hosts.remove();
    return made ? hosts : undefined;
  }

  /** Where the master runs; the address is the one that its hosts know. */
  get master(): Namespace {
    return this.namespace('m', 1);
  }

  /** The fresh host. */
  get host(): Namespace {
    return this.namespace('h', 2);
  }

  /** How the desk reaches the master. */
  get masterFromDesk(): string {
    return this.at(5);
  }

  private at(last: number): string {
    return `${this.net}.${this.first + last}`;
  }

  private namespace(letter: string, last: number): Namespace {
    return { address: this.at(last), command: (...words) => ['ip', ['netns', 'exec', `${this.name}${letter}`, ...words]] };
  }

  private build(): boolean {
    const [master, host] = [`${this.name}m`, `${this.name}h`];
    const ready = (space: string, device: string, address: string): boolean =>
      ip('-n', space, 'addr', 'add', `${address}/30`, 'dev', device) && ip('-n', space, 'link', 'set', device, 'up') && ip('-n', space, 'link', 'set', 'lo', 'up');
    return ip('netns', 'add', master) && ip('netns', 'add', host) &&
      ip('link', 'add', 'to-host', 'netns', master, 'type', 'veth', 'peer', 'name', 'to-master', 'netns', host) &&
      ip('link', 'add', `${this.name}d`, 'type', 'veth', 'peer', 'name', 'to-desk', 'netns', master) &&
      ready(master, 'to-host', this.at(1)) && ready(host, 'to-master', this.at(2)) && ready(master, 'to-desk', this.at(5)) &&
      ip('addr', 'add', `${this.at(6)}/30`, 'dev', `${this.name}d`) && ip('link', 'set', `${this.name}d`, 'up');
  }

  /** Takes links and namespaces away. Programs in them go on without a network. */
  remove(): void {
    ip('link', 'del', `${this.name}d`);
    for (const letter of ['m', 'h']) ip('netns', 'del', `${this.name}${letter}`);
  }
}
