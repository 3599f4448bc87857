import { createHash, randomBytes } from 'node:crypto';
import { fstatSync, lstatSync, readFileSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { type Clock, processStart } from '#kernel';
import { joinPath } from './safe-path.ts';
import { type DirectoryState, type SafeTree, fdPath } from './safe-tree.ts';

/** A process as others on other hosts, after other starts of the system and in other containers can tell it. Empty: not known. */
export interface Maker {
  readonly machine: string;
  readonly boot: string;
  /** Number of the process namespace: numbers of processes mean something in it only. */
  readonly namespace: string;
  readonly pid: string;
  readonly start: string;
}

const shape = /^\.holdfast-[0-9a-f]{16}-([0-9a-f]{8})?-([0-9a-f]{8})?-(\d*)-(\d+)-(\d*)-\d+-[0-9a-f]{16}$/;
/** What is not known to be over is taken to be so when nothing was written to it for a day (ms). */
const longestPause = 86_400_000;

const shortHash = (text: string, digits: number): string => createHash('sha256').update(text).digest('hex').slice(0, digits);

const wordOf = (file: string): string => {
  try {
    const text = readFileSync(file, 'latin1').trim();
    return text === '' ? '' : shortHash(`holdfast ${text}`, 8);
  } catch {
    return '';
  }
};

const namespaceHere = (): string => String(statSync('/proc/self/ns/pid', { throwIfNoEntry: false })?.ino ?? '');

/** This process. */
export const makerHere = (): Maker => ({
  machine: wordOf('/etc/machine-id'), boot: wordOf('/proc/sys/kernel/random/boot_id'), namespace: namespaceHere(), pid: String(process.pid), start: processStart(process.pid) ?? '',
});

/** Says of which directory a name is, so that a copy of the file elsewhere is a file like others. */
const marked = (name: string, directory: number): string => `${name}-${shortHash(`holdfast stage\n${fstatSync(directory, { bigint: true }).ino}\n${name}`, 16)}`;

/** True for what is over for certain; undefined when that cannot be known from here. */
const isOver = (maker: Maker, here: Maker): boolean | undefined => {
  if (maker.boot === '' || here.boot === '') return undefined;
  if (maker.boot !== here.boot) return maker.machine !== '' && maker.machine === here.machine ? true : undefined;
  if (maker.namespace === '' || maker.namespace !== here.namespace || maker.start === '') return undefined;
  return processStart(maker.pid) !== maker.start;
};

/**
 * The names under which one restore makes what takes the place of something. Nobody can guess one beforehand. Each tells the process that
 * made it and the directory it was made in, so that what a killed restore leaves is found by the next, and nothing else is taken for it.
 */
export class Stage {
  private readonly tree: SafeTree;
  private readonly clock: Clock;
  private readonly here: Maker;
  private readonly prefix: string;
  private readonly wanted = new Set<string>();
  private count = 0;

  constructor(tree: SafeTree, clock: Clock, here: Maker = makerHere()) {
    const { machine, boot, namespace, pid, start } = here;
    this.tree = tree;
    this.clock = clock;
    this.here = here;
    this.prefix = `.holdfast-${randomBytes(8).toString('hex')}-${machine}-${boot}-${namespace}-${pid}-${start}`;
  }

  /** A new name in a directory below the destination. */
  name(directory: string): string {
    return marked(`${this.prefix}-${++this.count}`, this.tree.directory(directory));
  }

  /** What the snapshot has of this name was a file like others when it was backed up. */
  keep(path: string, name: string): void {
    if (shape.test(name)) this.wanted.add(path);
  }

  /**
   * Removes from the directories that were there before what restores were making that were killed; returns how many. What may still be made stays: that of a
   * process that runs, and for a day that of one which cannot be seen from here (on another host, in another container).
   */
  removeLeftovers(directories: ReadonlyMap<string, DirectoryState>): number {
    let removed = 0;
    for (const [directory, state] of directories) if (state === 'existing') removed += this.removeIn(directory);
    return removed;
  }

  private removeIn(directory: string): number {
    let removed = 0;
    try {
      const fd = this.tree.directory(directory);
      const left = readdirSync(fdPath(fd), { encoding: 'latin1' })
        .filter((name) => name.startsWith('.holdfast-') && !this.wanted.has(joinPath(directory, name)) && this.isLeft(name, directory));
      for (const name of left) {
        unlinkSync(this.tree.at(directory, name));
        removed++;
      }
    } catch {
      // A directory that does not let us in or change it: nothing that was asked for depends on it.
    }
    return removed;
  }

  private isLeft(name: string, directory: string): boolean {
    const [, machine = '', boot = '', namespace = '', pid = '', start = ''] = shape.exec(name) ?? [];
    if (pid === '' || marked(name.slice(0, name.lastIndexOf('-')), this.tree.directory(directory)) !== name) return false;
    return isOver({ machine, boot, namespace, pid, start }, this.here) ?? this.clock.now() - lstatSync(this.tree.at(directory, name)).ctimeMs > longestPause;
  }
}
