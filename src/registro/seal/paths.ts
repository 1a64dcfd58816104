import { join } from 'node:path';

/** Where the files of a day stand. */
export interface DayPaths {
  readonly folder: string;
  /** The signed file: JSON lines in a CMS. */
  readonly file: string;
  /** The table for eyes. */
  readonly csv: string;
  /** Time stamps (RFC 3161 answers): over the root, and over the signed file. */
  readonly rootStamp: string;
  readonly fileStamp: string;
}

/** `2026/11/22.jsonl.p7m` and what goes with it; of a part of an open day `22-parte-1`. */
export function pathsOf(root: string, { day, part }: { day: string; part: number }): DayPaths {
  const [year = '', month = '', number = ''] = day.split('-');
  const folder = join(root, year, month);
  const base = join(folder, part === 0 ? number : `${number}-parte-${part}`);
  return {
    folder,
    file: `${base}.jsonl.p7m`,
    csv: `${base}.csv`,
    rootStamp: `${base}.tsr`,
    fileStamp: `${base}.jsonl.p7m.tsr`,
  };
}
