import type { Grant, GrantRequest } from '#contracts';
import { type Clock, fault, parseTime } from '#kernel';

/** Asks the master for grants, in the order of the requests; at most 64 at once. Throws what a retry should know. */
export type RequestGrants = (requests: readonly GrantRequest[], signal?: AbortSignal) => Promise<readonly Grant[]>;

interface Waiting {
  readonly request: GrantRequest;
  readonly resolve: (grant: Grant) => void;
  readonly reject: (error: unknown) => void;
}

const batchSize = 64;
const keptGrants = 1_024;
/** A grant this near to its end is not used any more. */
const marginMs = 5_000;

const keyOf = ({ access, name, sha256 }: GrantRequest): string => `${access} ${name} ${sha256 ?? ''}`;

/** Grants by request: asked for together with whatever else is wanted meanwhile, kept while they last. */
export class GrantSource {
  private readonly requestGrants: RequestGrants;
  private readonly clock: Clock;
  private readonly kept = new Map<string, Grant>();
  private readonly waiting: Waiting[] = [];
  private asking = false;

  constructor(requestGrants: RequestGrants, clock: Clock) {
    this.requestGrants = requestGrants;
    this.clock = clock;
  }

  /** A grant that lasts a while yet. */
  async grantFor(request: GrantRequest): Promise<Grant> {
    const known = this.kept.get(keyOf(request));
    if (known && parseTime(known.expiresAt) - marginMs > this.clock.now()) return known;
    const grant = await new Promise<Grant>((resolve, reject) => {
      this.waiting.push({ request, resolve, reject });
      if (!this.asking) void this.ask();
    });
    this.keep(request, grant);
    return grant;
  }

  /** The target refused the grant, or it has done its work. */
  forget(request: GrantRequest): void {
    this.kept.delete(keyOf(request));
  }

  private keep(request: GrantRequest, grant: Grant): void {
    this.kept.set(keyOf(request), grant);
    for (const key of this.kept.keys()) {
      if (this.kept.size <= keptGrants) break;
      this.kept.delete(key);
    }
  }

  private async ask(): Promise<void> {
    this.asking = true;
    // What is asked for in the same turn goes in the same question.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, batchSize);
      try {
        const grants = await this.requestGrants(batch.map(({ request }) => request));
        batch.forEach(({ request, resolve, reject }, i) => {
          const grant = grants[i];
          const fits = grant?.name === request.name && grant.method === (request.access === 'write' ? 'PUT' : 'GET');
          if (grant && fits) resolve(grant);
          else reject(fault('internal', 'grant-malformed', 'The master answered with grants that were not asked for', { retryable: false }));
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.asking = false;
  }
}
