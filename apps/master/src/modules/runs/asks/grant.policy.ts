import type { GrantRequest } from '#contracts';
import { type Refusal, refuse } from '#kernel';
import { parseObjectName, repositoryFile } from '#repository';
import type { LiveHolder } from './answers.ts';

const mebi = 1024 * 1024;
/** Bytes that an object of each kind may have at most. */
const limits: Partial<Record<NonNullable<ReturnType<typeof parseObjectName>>['kind'], number>> = {
  'id-key': 64 * 1024, 'data-key': 64 * 1024, 'catalog-key': 64 * 1024, pack: 96 * mebi, snapshot: 64 * mebi,
};

const no = (name: string, why: string): Refusal => refuse('forbidden', 'grant-refused', `No grant for ${name}: ${why}`);

const mayWrite = ({ attempt }: LiveHolder, { name, size, sha256 }: GrantRequest): Refusal | undefined => {
  if (size === undefined || sha256 === undefined) return no(name, 'say its size and SHA-256');
  if (name === repositoryFile) return size > 64 * 1024 ? no(name, 'it is too large') : undefined;
  const parsed = parseObjectName(name);
  const limit = parsed && limits[parsed.kind];
  if (!parsed || limit === undefined) return no(name, 'agents do not write such objects');
  if (parsed.sha256 !== sha256) return no(name, 'its name does not end in its SHA-256');
  if (parsed.kind === 'snapshot' && parsed.id !== attempt.snapshot) return no(name, 'the claim named another snapshot');
  return size > limit ? no(name, `it is larger than ${limit} bytes`) : undefined;
};

const mayRead = ({ run }: LiveHolder, { name }: GrantRequest, condemned: string | undefined): Refusal | undefined => {
  const { plan } = run.order;
  if (plan.kind !== 'restore') return name === condemned ? undefined : no(name, 'a backup reads nothing of what it has stored');
  const allowed = name === plan.snapshotObject || name === repositoryFile || parseObjectName(name)?.kind === 'pack';
  return allowed ? undefined : no(name, 'the restore of this snapshot does not need it');
};

/**
 * Why this holder may not have this grant; undefined when it may. A restore only reads; a backup only writes, but for the list of what
 * a prune of its repository has condemned (`condemned`: the name of that object, while there is one).
 */
export const grantFault = (holder: LiveHolder, request: GrantRequest, condemned?: string): Refusal | undefined => {
  if (request.access === 'read') return mayRead(holder, request, condemned);
  return holder.run.order.plan.kind === 'backup' ? mayWrite(holder, request) : no(request.name, 'only a backup writes');
};
