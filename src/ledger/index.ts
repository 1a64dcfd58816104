export { canonicalEvent, type LedgerEvent } from './canonical.js';
export { CHAIN_START, leafHash, linkHash, plainLeaf } from './chain.js';
export { type InclusionProof, inclusionProof, merkleRoot, verifyInclusion } from './merkle.js';
