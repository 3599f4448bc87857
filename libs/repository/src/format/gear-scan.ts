/**
 * The loop that looks at every byte of every large file, as WebAssembly: V8 runs the same loop written in JavaScript at about an eighth
 * of its speed. The module is put together here, opcode by opcode (WebAssembly Core Specification 1.0, chapter 5), so that no binary
 * and no other language comes into the build.
 */
const op = {
  block: 0x02, loop: 0x03, if: 0x04, end: 0x0b, br: 0x0c, brIf: 0x0d, return: 0x0f,
  localGet: 0x20, localSet: 0x21, localTee: 0x22, globalGet: 0x23, globalSet: 0x24,
  load: 0x28, load8: 0x2d, const: 0x41, eqz: 0x45, geS: 0x4e, add: 0x6a, sub: 0x6b, and: 0x71, shl: 0x74, empty: 0x40, i32: 0x7f,
} as const;
const section = { type: 1, function: 3, memory: 5, global: 6, export: 7, code: 10 } as const;
const local = { at: 0, to: 1, mask: 2, hash: 3 } as const;
/** Bytes that one turn of the loop looks at. */
const unrolled = 8;

/** LEB128 of a number that is not negative; good for signed operands too, as their sign bit stays clear. */
const leb = (value: number): number[] => {
  const rest = Math.floor(value / 128);
  if (rest > 0) return [(value & 0x7f) | 0x80, ...leb(rest)];
  return value < 64 ? [value] : [value | 0x80, 0];
};
const sized = (bytes: readonly number[]): number[] => [...leb(bytes.length), ...bytes];
const part = (id: number, ...bytes: number[]): number[] => [id, ...sized(bytes)];
const named = (name: string, kind: number): number[] => [...sized([...Buffer.from(name)]), kind, 0];

/** hash = (hash << 1) + table[byte at `offset`]; returns the place behind that byte when the bits of the mask are zero. */
const look = (offset: number): number[] => [
  op.localGet, local.hash, op.const, 1, op.shl,
  op.localGet, local.at, op.load8, 0, offset, op.const, 2, op.shl, op.load, 2, 0, op.add,
  op.localTee, local.hash, op.localGet, local.mask, op.and, op.eqz,
  op.if, op.empty, op.localGet, local.at, op.const, offset + 1, op.add, op.return, op.end,
];

/** Goes on by `step` bytes at a time while that many are left. */
const steps = (step: number): number[] => [
  op.block, op.empty, op.loop, op.empty,
  op.localGet, local.at, op.localGet, local.to, op.const, step - 1, op.sub, op.geS, op.brIf, 1,
  ...Array.from({ length: step }, (_, offset) => look(offset)).flat(),
  op.localGet, local.at, op.const, step, op.add, op.localSet, local.at, op.br, 0,
  op.end, op.end,
];

const scanBody = [
  1, 1, op.i32,
  op.globalGet, 0, op.localSet, local.hash,
  ...steps(unrolled), ...steps(1),
  op.localGet, local.hash, op.globalSet, 0, op.const, 0x7f, op.end,
];

const moduleOf = (pages: number): Uint8Array<ArrayBuffer> => Uint8Array.from([
  0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
  ...part(section.type, 1, 0x60, 3, op.i32, op.i32, op.i32, 1, op.i32),
  ...part(section.function, 1, 0),
  ...part(section.memory, 1, 0, ...leb(pages)),
  ...part(section.global, 1, op.i32, 1, op.const, 0, op.end),
  ...part(section.export, 3, ...named('memory', 2), ...named('hash', 3), ...named('scan', 0)),
  ...part(section.code, 1, ...sized(scanBody)),
]);

interface ScanExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly hash: { value: number };
  readonly scan: (from: number, to: number, mask: number) => number;
}

/** What is used of the global object, which the types of Node do not describe. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
};

/** The rolling hash over content that lies in its own memory. */
export interface GearScan {
  /** Where the content goes. */
  readonly content: Buffer;
  /**
   * Goes on over content[from, to). Returns the place behind the first byte after which the hash has only zeros where `mask` has ones,
   * else -1; the hash is kept for the next call.
   */
  scan(from: number, to: number, mask: number): number;
  /** The hash is 0 again. */
  reset(): void;
}

/** `table` is the gear: 256 numbers of 4 bytes, little-endian. `bytes` is how much content there is room for. */
export const gearScan = (table: Uint8Array, bytes: number): GearScan => {
  const exports = new WebAssembly.Instance(new WebAssembly.Module(moduleOf(Math.ceil((table.length + bytes) / 65_536)))).exports as ScanExports;
  new Uint8Array(exports.memory.buffer).set(table);
  const base = table.length;
  return {
    content: Buffer.from(exports.memory.buffer, base, bytes),
    scan: (from, to, mask) => {
      const found = exports.scan(base + from, base + to, mask);
      return found < 0 ? -1 : found - base;
    },
    reset: () => {
      exports.hash.value = 0;
    },
  };
};
