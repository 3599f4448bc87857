import { expect, it } from 'vitest';
import { tcpListeners, unixListeners } from './listeners.ts';

it('tells sockets that wait for connections from others', () => {
  expect(unixListeners(`Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 21834 /run/postgresql/.s.PGSQL.5432
0000000000000000: 00000003 00000000 00000000 0001 03 30182 /run/postgresql/.s.PGSQL.5432
0000000000000000: 00000002 00000000 00010000 0001 01 21900 @abstract
0000000000000000: 00000002 00000000 00010000 0001 01 21901 /run/with space/mysqld.sock
0000000000000000: 00000002 00000000 00000000 0002 01 15999`)).toEqual([
    { path: '/run/postgresql/.s.PGSQL.5432', inode: '21834' }, { path: '/run/with space/mysqld.sock', inode: '21901' },
  ]);
});

it('reads addresses of both families', () => {
  const line = (address: string, state = '0A') => `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000   115        0 23456 1 0000000000000000 100 0 0 10 0`;
  const of = (...lines: string[]) => tcpListeners(['  sl  local_address', ...lines].join('\n')).map(({ address }) => address);
  expect(of(line('0100007F:1538'), line('00000000:0CEA'), line('0100007F:0016', '01'))).toEqual(['127.0.0.1:5432', '0.0.0.0:3306']);
  expect(of(line('00000000000000000000000000000000:1538'), line('00000000000000000000000001000000:1539'))).toEqual(['[::]:5432', '[::1]:5433']);
  expect(of(line('0000000000000000FFFF00000100007F:1538'), line('B80D0120000000000000000001000000:1538'))).toEqual(['127.0.0.1:5432', '[2001:db8::1]:5432']);
  expect(of('nonsense', '', '1: x y 0A')).toEqual([]);
});
