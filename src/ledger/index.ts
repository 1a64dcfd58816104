export { actLeaf, type LedgerAct } from './act.js';
export { canonicalEvent, type LedgerEvent } from './canonical.js';
export { CHAIN_START, leafHash, linkHash, plainLeaf } from './chain.js';
export { type HeadOfLane, headLeaf } from './head.js';
export {
  type InclusionProof,
  MerkleAccumulator,
  merkleRoot,
  verifyInclusion,
} from './merkle.js';
