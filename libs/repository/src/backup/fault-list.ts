import { isUtf8 } from 'node:buffer';
import type { ItemFault } from '#contracts';

const listed = 1000;

/** A path to show: bytes that are not UTF-8, and control characters, as `\xNN`. */
export const printablePath = (path: Buffer): string => {
  const hex = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;
  if (!isUtf8(path)) return [...path].map((byte) => (byte < 0x20 || byte > 0x7e ? hex(byte) : String.fromCharCode(byte))).join('');
   
  return path.toString('utf8').replace(/[\u0000-\u001f\u007f]/g, (char) => hex(char.charCodeAt(0)));
};

/** Counts all faults, keeps the first 1,000. */
export class FaultList {
  private readonly kept: ItemFault[] = [];
  private total = 0;

  add(path: Buffer, code: string, detail: string): void {
    this.total++;
    if (this.kept.length < listed) this.kept.push({ path: `/${printablePath(path)}`.slice(0, 8192), code: code.slice(0, 64), detail: detail.slice(0, 1024) });
  }

  get count(): number {
    return this.total;
  }

  get list(): readonly ItemFault[] {
    return this.kept;
  }
}
