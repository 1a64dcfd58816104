import { actLeaf, CHAIN_START, linkHash } from '../ledger/index.js';
import type { Act, Store } from '../storage/index.js';
import { CHANGED, UNREADABLE } from './misfit.js';

/** What a verification of the administrators' acts found. */
export interface ActsVerdict {
  readonly acts: number;
  /** The first that does not fit, or null. */
  readonly fault: { readonly seq: number; readonly reason: string } | null;
}

/** Where the acts stood when a day was sealed, as its `sigillo` says: `12 <link in hex>`. */
export const actsHead = ({ seq, link }: Pick<Act, 'seq' | 'link'>): string =>
  `${seq} ${Buffer.from(link).toString('hex')}`;

const PAGE = 500;
const MISSING = 'mancano atti che un sigillo conosce / acts are missing that a seal knows of';
const OTHER = "l'atto non è quello che un sigillo conosce / the act is not the one a seal knows of";

/**
 * Recomputes the chain of acts. Its end has no witness in itself: the seals of the days, in the chain of the register, are.
 * @param heads what the seals say
 */
export async function verifyActs(store: Pick<Store, 'read'>, heads: readonly string[]): Promise<ActsVerdict> {
  const witnessed = new Map(heads.map((head) => [Number(head.split(' ')[0]), head]));
  let seq = 0;
  let link: Uint8Array = CHAIN_START;
  for (;;) {
    const page = await pageAfter(store, seq);
    if (page === undefined) return { acts: seq, fault: { seq: seq + 1, reason: UNREADABLE } };
    for (const act of page) {
      const reason = faultOf(act, seq + 1, link) ?? wrongHead(act, witnessed);
      if (reason !== undefined) return { acts: seq, fault: { seq: act.seq, reason } };
      seq = act.seq;
      link = act.link;
    }
    if (page.length === 0) break;
  }
  const last = Math.max(0, ...witnessed.keys());
  return { acts: seq, fault: last > seq ? { seq: seq + 1, reason: MISSING } : null };
}

/** Undefined when its columns cannot even be read. */
async function pageAfter(store: Pick<Store, 'read'>, after: number): Promise<Act[] | undefined> {
  try {
    return await store.read('pageActs', { after, limit: PAGE });
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function faultOf(act: Act, expected: number, previous: Uint8Array): string | undefined {
  if (act.seq !== expected) return MISSING;
  if (!Object.values(act.detail).every((text) => typeof text === 'string')) return UNREADABLE;
  if (!actLeaf(act.salt, act).equals(act.leaf)) return CHANGED;
  return linkHash(previous, act.leaf).equals(act.link)
    ? undefined
    : 'la catena è interrotta / the chain is broken here';
}

function wrongHead(act: Act, witnessed: ReadonlyMap<number, string>): string | undefined {
  const head = witnessed.get(act.seq);
  return head === undefined || head === actsHead(act) ? undefined : OTHER;
}
