import type { Grant, GrantRequest } from '#contracts';
import { fault } from '#kernel';

interface Waiting {
  readonly request: GrantRequest;
  readonly resolve: (grant: Grant) => void;
  readonly reject: (error: unknown) => void;
}

/** Most objects of one question. */
const batchSize = 64;

/** Asks for grants in batches: what is wanted at about the same time goes in one question, and one question is on its way at a time. */
export class GrantDesk {
  private readonly ask: (objects: readonly GrantRequest[]) => Promise<readonly Grant[]>;
  private waiting: Waiting[] = [];
  private asking = false;

  constructor(ask: (objects: readonly GrantRequest[]) => Promise<readonly Grant[]>) {
    this.ask = ask;
  }

  request(request: GrantRequest): Promise<Grant> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ request, resolve, reject });
      // The next turn of the event loop: workers' requests that arrived together leave together.
      if (!this.asking) {
        this.asking = true;
        setImmediate(() => void this.drain());
      }
    });
  }

  private async drain(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, batchSize);
      try {
        const grants = await this.ask(batch.map(({ request }) => request));
        batch.forEach(({ request, resolve, reject }, i) => {
          const grant = grants[i];
          if (grant && grant.name === request.name) resolve(grant);
          else reject(fault('internal', 'grant-mismatch', `The master answered with another grant than the one for ${request.name}`));
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.asking = false;
  }
}
