const MEBI = 1024 * 1024;

/** How far a file that holds others is followed. */
export interface ArchiveLimits {
  /** Octets of one message, unpacked. */
  readonly messageOctets: number;
  /** Octets all that is unpacked out of one file may come to. */
  readonly totalOctets: number;
  /** Members of one file, those of archives inside it too. */
  readonly members: number;
  /** Archives inside archives: 1 is the file itself. */
  readonly depth: number;
}

/** A message of 100 MB in base64 is some 140 MiB; a bomb of any sort ends at the total. */
export const archiveLimits: ArchiveLimits = {
  messageOctets: 256 * MEBI,
  totalOctets: 16 * 1024 * MEBI,
  members: 100_000,
  depth: 3,
};
