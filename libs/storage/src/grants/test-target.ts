import { createHash, randomBytes } from 'node:crypto';
import type { Grant } from '#contracts';
import { type Clock, isAppError, messageOf, systemClock } from '#kernel';
import { withDeadline } from '../deadline.ts';
import type { ObjectStore } from '../object-store.port.ts';
import type { GrantOrder, GrantSigner } from './grant.port.ts';
import type { HttpAnswer, HttpSend } from './http.port.ts';

export const targetChecks = [
  'store-writes', 'store-reads', 'store-lists', 'store-refuses-second-write', 'store-deletes',
  'grant-writes', 'grant-reads', 'grant-refuses-wrong-bytes', 'grant-refuses-shorter', 'grant-refuses-longer', 'grant-refuses-second-write',
  'grant-refuses-unconditional-write', 'grant-refuses-another-name', 'grant-refuses-delete', 'grant-refuses-expired',
] as const;
export type TargetCheckName = (typeof targetChecks)[number];

/** What one check found. */
export interface TargetCheck {
  readonly name: TargetCheckName;
  readonly passed: boolean;
  /** A sentence, for a check that did not pass. */
  readonly detail?: string;
}

/** What is known about a target. */
export interface TargetTest {
  readonly checks: readonly TargetCheck[];
  /** The masters can keep repositories there. */
  readonly usable: boolean;
  /** `direct`: every grant check passed, agents may write there by themselves. `relay`: they must go through a master. */
  readonly access: 'direct' | 'relay';
}

/** What the test works with. */
export interface TargetTestOptions {
  readonly store: ObjectStore;
  /** Absent for targets that cannot sign: then the answer is `relay`. */
  readonly signer?: GrantSigner;
  readonly http: HttpSend;
  readonly clock?: Clock;
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const folder = 'holdfast-target-test';

class TargetTester {
  private readonly options: TargetTestOptions;
  private readonly clock: Clock;
  private readonly made: string[] = [];
  readonly checks: TargetCheck[] = [];

  constructor(options: TargetTestOptions) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
  }

  /** A name nobody has used, removed at the end. */
  name(): string {
    const name = `${folder}/${randomBytes(12).toString('hex')}`;
    this.made.push(name);
    return name;
  }

  async check(name: TargetCheckName, work: () => Promise<string | undefined>): Promise<void> {
    const detail = await work().catch((error: unknown) => (isAppError(error) ? error.detail : messageOf(error)));
    this.checks.push(detail === undefined ? { name, passed: true } : { name, passed: false, detail });
  }

  send(method: 'PUT' | 'GET' | 'DELETE', grant: Grant, body?: Uint8Array, change: { url?: string; without?: string } = {}): Promise<HttpAnswer> {
    const headers = Object.fromEntries(Object.entries(grant.headers).filter(([key]) => key.toLowerCase() !== change.without));
    return withDeadline(this.clock, 30_000, undefined, (signal) => this.options.http({
      method, url: change.url ?? grant.url, headers, maxBytes: 1_048_576, signal, ...(body ? { body: [body] } : {}),
    }));
  }

  async clean(): Promise<void> {
    for (const name of this.made) await this.options.store.delete(name).catch(() => undefined);
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const testStore = async (tester: TargetTester, store: ObjectStore): Promise<void> => {
  const [name, bytes] = [tester.name(), randomBytes(70_000)];
  const write = (body: Uint8Array) => store.put(name, [body], { sha256: sha256(body) });
  await tester.check('store-writes', async () => ((await write(bytes)) === 'created' ? undefined : 'The object was said to be there already'));
  await tester.check('store-reads', async () => {
    const part = await store.get(name, { offset: 65_530, length: 100 });
    return same(await store.get(name), bytes) && same(part, bytes.subarray(65_530, 65_630)) ? undefined : 'Other bytes came back than were written';
  });
  await tester.check('store-lists', async () => {
    for await (const info of store.list(`${folder}/`)) if (info.name === name && info.size === bytes.length) return undefined;
    return 'A written object is not listed, or with another size';
  });
  await tester.check('store-refuses-second-write', async () => {
    const outcome = await write(randomBytes(10));
    return outcome === 'exists' && same(await store.get(name), bytes) ? undefined : 'A second write replaced the object';
  });
  await tester.check('store-deletes', async () => {
    await store.delete(name);
    return (await store.head(name)) ? 'A removed object is still there' : undefined;
  });
};

/** Sends what a thief of a grant would send; passes when the target refuses and nothing changed. */
const refuses = async (
  store: ObjectStore, name: string, attempt: () => Promise<HttpAnswer>, unchanged?: Uint8Array,
): Promise<string | undefined> => {
  // A connection cut in the middle of a body that is too long is a refusal too; what counts is what the target holds then.
  const status = await attempt().then((answer) => answer.status, () => 0);
  const held = (await store.head(name)) ? await store.get(name) : undefined;
  if (unchanged ? !held || !same(held, unchanged) : held !== undefined) return `The target took it (${status})`;
  return status >= 200 && status < 300 ? `The target said that it took it (${status})` : undefined;
};

const testGrants = async (tester: TargetTester, store: ObjectStore, signer: GrantSigner, now: number): Promise<void> => {
  const bytes = randomBytes(70_000);
  const order = (name: string, more: Partial<GrantOrder> = {}): GrantOrder =>
    ({ access: 'write', name, size: bytes.length, sha256: sha256(bytes), expires: now + 300_000, ...more });
  const attempt = (check: TargetCheckName, send: (grant: Grant) => Promise<HttpAnswer>, more: Partial<GrantOrder> = {}) =>
    tester.check(check, async () => {
      const name = tester.name();
      const grant = await signer.issue(order(name, more));
      return refuses(store, name, () => send(grant));
    });
  const written = tester.name();
  await tester.check('grant-writes', async () => {
    const { status } = await tester.send('PUT', await signer.issue(order(written)), bytes);
    return status >= 200 && status < 300 && same(await store.get(written), bytes) ? undefined : `The target answered ${status}`;
  });
  await tester.check('grant-reads', async () => {
    const answer = await tester.send('GET', await signer.issue({ access: 'read', name: written, expires: now + 300_000 }));
    return answer.status === 200 && same(answer.body, bytes) ? undefined : `The target answered ${answer.status}`;
  });
  const other = randomBytes(bytes.length);
  await attempt('grant-refuses-wrong-bytes', (grant) => tester.send('PUT', grant, other));
  await attempt('grant-refuses-shorter', (grant) => tester.send('PUT', grant, bytes.subarray(1)));
  await attempt('grant-refuses-longer', (grant) => tester.send('PUT', grant, Buffer.concat([bytes, Buffer.from('x')])));
  await tester.check('grant-refuses-second-write', async () =>
    refuses(store, written, async () => tester.send('PUT', await signer.issue(order(written, { sha256: sha256(other) })), other), bytes));
  await tester.check('grant-refuses-unconditional-write', async () =>
    refuses(store, written, async () => {
      const grant = await signer.issue(order(written, { sha256: sha256(other) }));
      return tester.send('PUT', grant, other, { without: 'if-none-match' });
    }, bytes));
  await tester.check('grant-refuses-another-name', async () => {
    const [granted, wanted] = [tester.name(), tester.name()];
    const grant = await signer.issue(order(granted));
    return refuses(store, wanted, () => tester.send('PUT', grant, bytes, { url: grant.url.replace(granted, wanted) }));
  });
  await tester.check('grant-refuses-delete', async () =>
    refuses(store, written, async () => tester.send('DELETE', await signer.issue(order(written)), bytes), bytes));
  await attempt('grant-refuses-expired', (grant) => tester.send('PUT', grant, bytes), { expires: now - 60_000 });
};

/**
 * Tries a target: what masters need of it, and whether the target itself refuses what a grant does not permit (other bytes, another
 * length, a second write, another name, a delete, an expired grant). Writes and removes a dozen small objects. Never throws for
 * what the target does.
 */
export const testTarget = async (options: TargetTestOptions): Promise<TargetTest> => {
  const tester = new TargetTester(options);
  await testStore(tester, options.store);
  const usable = tester.checks.every((check) => check.passed);
  if (usable && options.signer) await testGrants(tester, options.store, options.signer, (options.clock ?? systemClock).now());
  await tester.clean();
  const granted = tester.checks.filter((check) => check.name.startsWith('grant-'));
  const access = granted.length > 0 && granted.every((check) => check.passed) ? 'direct' : 'relay';
  return { checks: tester.checks, usable, access };
};
