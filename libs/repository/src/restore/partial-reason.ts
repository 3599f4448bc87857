import { type AppError, counted, fault } from '#kernel';

const kinds = { 'restore-destination-full': 'unavailable', 'restore-destination-read-only': 'refused', 'restore-destination-denied': 'forbidden' } as const;
type Code = keyof typeof kinds;
const isOfDestination = (code: string): code is Code => code in kinds;

/** Finds out, from its faults, why a restore is partial: one reason for all where the destination is to blame. */
export class PartialReason {
  private destination: { readonly code: Code; readonly detail: string } | undefined;
  private count = 0;

  note({ code, detail }: { readonly code: string; readonly detail: string }): void {
    if (!isOfDestination(code)) return;
    this.destination ??= { code, detail };
    if (code === this.destination.code) this.count++;
  }

  /** @param faults all of them */
  of(faults: number): { readonly code: string; readonly detail: string } {
    const { destination, count } = this;
    if (!destination) return { code: 'entries-not-restored', detail: `${counted(faults, 'entry', 'entries')} could not be restored completely; everything else is in place` };
    const others = faults > count ? `, ${faults - count} for other reasons` : '';
    return { code: destination.code, detail: `${destination.detail}. ${counted(count, 'entry', 'entries')} could not be restored for this${others}; everything else is in place` };
  }

  /** For a restore that made nothing: that is no part of it. */
  throwIfDestination(): void {
    const error: AppError | undefined = this.destination && fault(kinds[this.destination.code], this.destination.code, this.destination.detail);
    if (error) throw error;
  }
}
