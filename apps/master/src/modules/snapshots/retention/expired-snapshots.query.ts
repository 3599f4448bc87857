import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, IsNull, Not, Repository } from 'typeorm';
import { TaskRow } from '../../tasks/index.ts';
import { SnapshotRow } from '../read-models/snapshots/snapshot.entity.ts';
import { expired } from './expired.ts';

/** Which snapshots of a repository their tasks' rules keep no longer. Those of tasks that are gone are kept. */
@Injectable()
export class ExpiredSnapshots {
  constructor(
    @InjectRepository(SnapshotRow) private readonly snapshots: Repository<SnapshotRow>,
    @InjectRepository(TaskRow) private readonly tasks: Repository<TaskRow>,
  ) {}

  /** Ids, oldest first for each task; forgotten ones are not among them. */
  async of(repository: string): Promise<readonly string[]> {
    const byTask = Map.groupBy(await this.snapshots.findBy({ repository, forgotten: false, task: Not(IsNull()) }), (row) => row.task ?? '');
    const tasks = await this.tasks.findBy({ id: In([...byTask.keys()]) });
    return tasks.flatMap(({ id, definition }) => {
      const items = (byTask.get(id) ?? []).map((row) => ({ id: row.id, time: row.time.getTime(), held: row.held }));
      return expired(items, definition.retention).map((item) => item.id);
    });
  }
}
