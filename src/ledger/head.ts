import { plainLeaf } from './chain.js';

/** Where a lane of the register stood at an instant. */
export interface HeadOfLane {
  readonly lane: number;
  /** Of its last entry; 0 before the first. */
  readonly seq: number;
  readonly link: Uint8Array;
}

/**
 * The leaf by which the root of a day commits to a lane's whole past. It names the day: two days without an entry have
 * different roots, so the stamp of one never passes for that of the other.
 */
export function headLeaf(day: string, { lane, seq, link }: HeadOfLane): Buffer {
  const fields = ['ceralacca.head.1', day, lane, seq, Buffer.from(link).toString('hex')];
  return plainLeaf(Buffer.from(JSON.stringify(fields), 'utf8'));
}
