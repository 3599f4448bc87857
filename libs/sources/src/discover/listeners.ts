/** A socket on which somebody waits for connections. */
export interface Listener {
  /** Path of a Unix socket. */
  readonly path?: string;
  /** `address:port` of TCP, and the port alone. */
  readonly address?: string;
  readonly port?: number;
  /** Belongs to the process that has a descriptor of it. */
  readonly inode: string;
}

/** Format of `/proc/net/unix`: https://man7.org/linux/man-pages/man5/proc_pid_net.5.html; the flag says that it accepts connections. */
export const unixListeners = (table: string): readonly Listener[] => table.split('\n').slice(1).flatMap((line) => {
  const [, flags, inode, path] = /^\S+ \S+ \S+ (\S+) \S+ \S+ +(\d+) (\/.*)$/.exec(line) ?? [];
  return flags !== undefined && inode !== undefined && path !== undefined && (parseInt(flags, 16) & 0x10000) !== 0 ? [{ path, inode }] : [];
});

/** Words of four bytes in the byte order of the machine, which is little-endian wherever the agent is built for. */
const addressOf = (hex: string): string => {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).reverse().map((byte) => parseInt(byte, 16)));
  if (bytes.length === 4) return bytes.join('.');
  const mapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  if (mapped) return bytes.slice(12).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16));
  return `[${groups.join(':').replace(/(^|:)0(:0)+(:|$)/, '::')}]`;
};

/** Format of `/proc/net/tcp` and `tcp6`; state 0A is listening. */
export const tcpListeners = (table: string): readonly Listener[] => table.split('\n').slice(1).flatMap((line) => {
  const columns = line.trim().split(/\s+/);
  const [, address, port] = /^([0-9A-F]+):([0-9A-F]{4})$/.exec(columns[1] ?? '') ?? [];
  const inode = columns[9];
  if (columns[3] !== '0A' || address === undefined || port === undefined || inode === undefined) return [];
  const number = parseInt(port, 16);
  return [{ address: `${addressOf(address)}:${number}`, port: number, inode }];
});
