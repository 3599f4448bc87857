import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesSource, type ExtendedAttribute } from '#sources';
import { sampleRepository } from '../catalog/testing.ts';

describe('extended attributes of files', () => {
  it('are read again only where something changed or where there were some, and content is not read for them', async () => {
    const repository = await sampleRepository();
    const asked: string[] = [];
    const attribute: ExtendedAttribute = { name: Buffer.from('user.x'), value: Buffer.from('1') };
    const source = filesSource({
      paths: [repository.source],
      xattrs: async (paths) => {
        asked.push(...paths.map(String).filter((path) => path.startsWith(`${repository.source}/`)).map((path) => path.slice(repository.source.length + 1)));
        return { attributes: new Map([[join(repository.source, 'with'), [attribute]]]), failed: new Map() };
      },
    });
    for (const name of ['changing', 'plain', 'with']) await repository.write(name, 1000);
    const first = await repository.backup({ source });
    expect(asked.splice(0).sort()).toEqual(['changing', 'plain', 'with']);
    expect(first.statistics.filesRead).toBe(3);
    writeFileSync(join(repository.source, 'changing'), 'new content');
    const second = await repository.backup({ source });
    expect(asked.splice(0).sort()).toEqual(['changing', 'with']);
    expect(second.statistics).toMatchObject({ files: 3, filesRead: 1 });
    const third = await repository.backup({ source });
    expect(asked.splice(0)).toEqual(['with']);
    expect(third.statistics).toMatchObject({ files: 3, filesRead: 0 });
  });
});
