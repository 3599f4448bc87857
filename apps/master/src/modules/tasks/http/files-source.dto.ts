import { FilesSource } from '#contracts';

/** Source `files`: paths of the host and what to leave out. The rules are those of the message; this is its description for the interface. */
export class FilesSourceDto extends FilesSource {
  override type: 'files';
  /** Absolute paths, at least one. */
  override paths: string[];
  /** gitignore patterns, relative to each path. */
  override excludes?: string[];
  /** Do not cross into other file systems. Default false. */
  override oneFileSystem?: boolean;
  /** Leave out directories that hold a valid `CACHEDIR.TAG`. Default true. */
  override excludeCaches?: boolean;
  /** Which facts besides the size tell that a file changed. Default all; leave out `inode` and `ctime` on network file systems. */
  override changeDetection?: ('mtime' | 'ctime' | 'inode')[];
  /** Files read at the same time; 1 for a spinning disk. Default: the number of workers. */
  override readers?: number;
}
