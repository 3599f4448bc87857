import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tempDir } from '#testing';
import { restoreWriter } from './restore-writer.ts';

const modules = ['restore-writer.ts', 'content-writer.ts'].map((file) => JSON.stringify(join(import.meta.dirname, file)));
const entry = { path: Buffer.from('d/f'), type: 'file' as const, mode: 0o644, uid: 0, gid: 0, size: 8, mtimeNs: 1n, inode: 1n, device: 1n, links: 1 };

it('what a killed restore was writing beside files that were there is removed by the next one, and nothing else is', async () => {
  const out = await tempDir('killed-restore');
  mkdirSync(join(out, 'd'));
  writeFileSync(join(out, 'd', 'f'), 'before');
  writeFileSync(join(out, 'd', '.holdfast-0123456789abcdef-1'), 'somebody\'s');
  const script = `
    const [{ restoreWriter }, { contentWriter }] = [await import(${modules[0]}), await import(${modules[1]})];
    const writer = restoreWriter({ destination: ${JSON.stringify(out)}, mode: 'always', onFault: console.error });
    const [placement] = await writer.place([{
      path: Buffer.from('d/f'), type: 'file', mode: 0o644, uid: 0, gid: 0, size: 8, mtimeNs: 1n, inode: 1n, device: 1n, links: 1,
    }]);
    contentWriter(writer.rootFd).write(placement.ticket, Buffer.from('half'), 0);
    process.kill(process.pid, 'SIGKILL');`;
  const killed = spawnSync(process.execPath, ['--conditions=source', '--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(killed).toMatchObject({ signal: 'SIGKILL', stderr: '' });
  expect(readdirSync(join(out, 'd'))).toHaveLength(3);

  const notes: string[] = [];
  const writer = restoreWriter({ destination: out, mode: 'never', onFault: ({ detail }) => notes.push(detail), onNote: (code) => notes.push(code) });
  await writer.place([entry]);
  await writer.finish();
  expect(readdirSync(join(out, 'd')).sort()).toEqual(['.holdfast-0123456789abcdef-1', 'f']);
  expect(readFileSync(join(out, 'd', 'f'), 'utf8')).toBe('before');
  expect(notes).toEqual(process.getuid?.() === 0 ? ['leftovers-removed'] : ['owners-skipped', 'leftovers-removed']);
});
