import { filesSource } from '#sources';
import { fsStore } from '#storage';
import { ensureWriterIdentity } from '../state/identity.ts';
import { runBackup } from './run-backup.ts';

/** A program for tests: a backup that is killed by SIGKILL when everything is stored but the snapshot. */
const [source = '', stateDir = '', repository = '', recipient = ''] = process.argv.slice(2);
const store = fsStore(repository, { sync: false });
await runBackup({
  writer: {
    put: (name, body, options) => {
      if (name.startsWith('snapshots/')) process.kill(process.pid, 'SIGKILL');
      return store.put(name, body, options);
    },
  },
  source: filesSource({ paths: [source], xattrs: null }), stateDir, limits: { workers: 1 },
  repository: { identity: await ensureWriterIdentity(stateDir), dataRecipients: [recipient], catalogRecipients: [], create: true, generation: 0 },
  subject: { snapshotId: 'snap_killed', taskId: 'task_1', time: '2026-01-01T00:00:00.000Z' },
});
