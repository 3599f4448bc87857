import { Injectable } from '@nestjs/common';
import type { DirectoryCache } from '#repository';

type Directory = NonNullable<ReturnType<DirectoryCache['get']>>;

/** Chunks of all kept directories together: about 100 bytes each. */
const keptChunks = 1_000_000;

const chunksIn = (directory: Directory): number => directory.frames.reduce((sum, frame) => sum + frame.chunks.length, 1);

/**
 * The directories of packs used last, bounded by what they hold. Packs never change and their names are hashes of all their bytes,
 * so one cache serves every repository.
 */
@Injectable()
export class RecentDirectories implements DirectoryCache {
  private readonly kept = new Map<string, Directory>();
  private held = 0;

  get(name: string): Directory | undefined {
    const found = this.kept.get(name);
    if (found) {
      this.kept.delete(name);
      this.kept.set(name, found);
    }
    return found;
  }

  set(name: string, directory: Directory): void {
    this.drop(name);
    this.kept.set(name, directory);
    this.held += chunksIn(directory);
    for (const oldest of this.kept.keys()) {
      if (this.held <= keptChunks || oldest === name) return;
      this.drop(oldest);
    }
  }

  private drop(name: string): void {
    const found = this.kept.get(name);
    if (!found) return;
    this.kept.delete(name);
    this.held -= chunksIn(found);
  }
}
