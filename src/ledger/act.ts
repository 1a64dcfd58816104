import { createHash } from 'node:crypto';
import { LEAF } from './chain.js';

/** Something an administrator did, as it is hashed. */
export interface LedgerAct {
  /** From 1. */
  readonly seq: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly detail: Readonly<Record<string, string>>;
}

/** SHA-256(0x00 || salt || act), like the leaf of an event, of another format. */
export function actLeaf(salt: Uint8Array, act: LedgerAct): Buffer {
  const detail = Object.entries(act.detail).sort(([a], [b]) => (a < b ? -1 : 1));
  const fields = ['ceralacca.act.1', act.seq, act.at, act.actor, act.action, act.target, detail];
  return createHash('sha256').update(LEAF).update(salt).update(JSON.stringify(fields), 'utf8').digest();
}
