import { expect, it } from 'vitest';
import { parseAttributes, xattrReader } from './xattr-reader.ts';

it('the output of getfattr is read as it is escaped', () => {
  const text = '# file: /a\\012b\\134c\xff\nuser.b=0x00ff\nuser.a\\075x=0x\nuser.c\n\n# file: /second\nsystem.posix_acl_access=0x02\n\n';
  const found = [...parseAttributes(Buffer.from(text, 'latin1'))].map(([path, all]) => [path, all.map(({ name, value }) => `${name.toString('latin1')}=${value.toString('hex')}`)]);
  expect(found).toEqual([['/a\nb\\c\xff', ['user.a=x=', 'user.b=00ff', 'user.c=']], ['/second', ['system.posix_acl_access=02']]]);
});

it('there is no reader on a machine without the program', () => {
  expect(xattrReader((name) => (name === 'getfattr' ? undefined : `/usr/bin/${name}`))).toBeUndefined();
});
