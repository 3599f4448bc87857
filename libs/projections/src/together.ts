/**
 * Waits for work that goes on side by side. Fails with the first failure when all of it has ended, and not before: statements of a
 * failed transaction must not be sent after its rollback.
 */
export const together = async (work: readonly Promise<unknown>[]): Promise<void> => {
  await Promise.allSettled(work);
  await Promise.all(work);
};
