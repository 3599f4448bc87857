/**
 * The first failure of something that many wait for. Unlike a race with one promise that never settles, it remembers nobody who does
 * not wait any more, however many there were.
 */
export class FirstFailure {
  private readonly rejects = new Set<(error: Error) => void>();
  private failure: { readonly error: Error } | undefined;

  /** How many wait. */
  get waiting(): number {
    return this.rejects.size;
  }

  /** Everything that waits, and whatever comes later, rejects with this error; further ones are ignored. */
  fail(error: unknown): void {
    if (this.failure) return;
    this.failure = { error: error instanceof Error ? error : new Error(String(error)) };
    for (const reject of this.rejects) reject(this.failure.error);
    this.rejects.clear();
  }

  /** Settles as `work`, or rejects as soon as there is a failure. */
  guard<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const done = (): void => void this.rejects.delete(reject);
      work.then((value) => { done(); resolve(value); }, (error: Error) => { done(); reject(error); });
      if (this.failure) reject(this.failure.error);
      else this.rejects.add(reject);
    });
  }
}
