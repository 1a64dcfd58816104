export {
  type Caller,
  type ConnectionBounds,
  Connections,
  type Entry,
  noConnectionBounds,
  type Protocol,
} from './connections.js';
export { networkOf, sourceOf } from './network.js';
export { noTransferBounds, type Transfer, type TransferBounds, Transfers } from './transfers.js';
export { type Admission, type Charge, type Rate, Windows } from './windows.js';
