import fc from 'fast-check';
import { expect, it } from 'vitest';
import { majorOf, minorOf } from './special-files.ts';

/** glibc's gnu_dev_makedev. */
const makedev = (major: bigint, minor: bigint): bigint =>
  ((major & 0xfffn) << 8n) | ((major & 0xfffff000n) << 32n) | (minor & 0xffn) | ((minor & 0xffffff00n) << 12n);

it('device numbers come apart as glibc puts them together', () => {
  fc.assert(fc.property(fc.bigInt(0n, 0xffffffffn), fc.bigInt(0n, 0xffffffffn), (major, minor) => {
    expect([majorOf(makedev(major, minor)), minorOf(makedev(major, minor))]).toEqual([major, minor]);
  }));
  expect([majorOf(0x103n), minorOf(0x103n)]).toEqual([1n, 3n]); // /dev/null
});
