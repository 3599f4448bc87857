/** Heap of a worker thread: its work lies in buffers outside the heap, and a small heap is collected before they pile up. */
export const threadLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 512 } as const;
