import { Inject, Injectable } from '@nestjs/common';
import type { Grant } from '#contracts';
import type { Clock } from '#kernel';
import { withPrefix } from '#storage';
import { CLOCK } from '../../../platform/index.ts';
import { TargetStores } from '../../targets/index.ts';
import type { TargetAccess, TargetObjects } from '../ports.ts';

/** The part of a target in which a node's repository lies: a folder named by the node. */
export const repositoryFolder = (node: string): string => node;

/** Objects and grants of one repository inside a target; names are those inside the repository. */
@Injectable()
export class StoredTargetAccess implements TargetAccess {
  constructor(private readonly targets: TargetStores, @Inject(CLOCK) private readonly clock: Clock) {}

  async open(target: string, node: string): Promise<TargetObjects> {
    const { store, signer } = await this.targets.open(target);
    const folder = repositoryFolder(node);
    const inside = (grant: Grant, name: string): Grant => ({ ...grant, name });
    const expires = (seconds: number): number => this.clock.now() + seconds * 1000;
    return {
      store: withPrefix(store, folder),
      grantWrite: async ({ name, size, sha256 }, seconds) =>
        inside(await signer.issue({ access: 'write', name: `${folder}/${name}`, size, sha256: Buffer.from(sha256, 'hex'), expires: expires(seconds) }), name),
      grantRead: async (name, seconds) => inside(await signer.issue({ access: 'read', name: `${folder}/${name}`, expires: expires(seconds) }), name),
    };
  }
}
