import type { InstallMode } from '#contracts';
import { isBundled } from '#kernel';

/** How this agent runs: as it was told, else one file that somebody started, else without a file of its own. */
export const installModeOf = ({ installMode }: { readonly installMode?: InstallMode }): InstallMode =>
  isBundled() ? (installMode ?? 'foreground') : installMode === 'docker' ? 'docker' : 'unbuilt';
