import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';

/** Where the wire is to be cut: at the next bytes from the near end that say `words`. */
interface Cut {
  readonly words: string;
  /** The far end still gets those bytes and all that follow; only its answers are kept back. */
  readonly delivered: boolean;
  readonly reached: () => void;
}

/**
 * A wire between a process and the server behind `port`, which stops at a chosen message: what comes to pass in the process between sending it and learning
 * what became of it can then be looked at, and the process be killed there, whatever the speed of the machine. Speaks no protocol; text must come unencrypted.
 */
export class Wire {
  private cut: Cut | undefined;
  private stopped: 'nothing' | 'answers' | 'everything' = 'nothing';
  private readonly ends = new Set<Socket>();
  private readonly server = createServer((near) => this.join(near));

  private constructor(private readonly far: number) {}

  static async to(port: number): Promise<Wire> {
    const wire = new Wire(port);
    wire.server.listen(0, '127.0.0.1');
    await once(wire.server, 'listening');
    return wire;
  }

  /** Where the near end connects to. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Resolves when the near end sends `words`: they and all after them do not arrive (`before`), or arrive and are not answered (`after`). */
  stopAt(when: 'before' | 'after', words: string): Promise<void> {
    return new Promise((reached) => { this.cut = { words, delivered: when === 'after', reached }; });
  }

  /** Parts with every connection; new ones work. */
  renew(): void {
    for (const end of this.ends) end.destroy();
    this.stopped = 'nothing';
  }

  close(): void {
    this.renew();
    this.server.close();
  }

  private join(near: Socket): void {
    const far = connect(this.far, '127.0.0.1');
    let before = '';
    near.on('data', (chunk: Buffer) => {
      if (this.stopped === 'everything') return;
      const text = before + chunk.toString('latin1');
      const at = this.cut ? text.indexOf(this.cut.words) : -1;
      const { cut } = this;
      before = text.slice(-256);
      if (cut && at >= 0) {
        [this.cut, this.stopped] = [undefined, cut.delivered ? 'answers' : 'everything'];
        far.write(cut.delivered ? chunk : chunk.subarray(0, Math.max(0, at - (text.length - chunk.length))));
        cut.reached();
      } else far.write(chunk);
    });
    far.on('data', (chunk: Buffer) => { if (this.stopped === 'nothing') near.write(chunk); });
    for (const [end, other] of [[near, far], [far, near]] as const) {
      this.ends.add(end);
      end.on('error', () => other.destroy());
      end.once('close', () => { this.ends.delete(end); other.destroy(); });
    }
  }
}
