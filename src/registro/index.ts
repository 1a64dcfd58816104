export { clockEntry, readClockEntry } from './clock-entry.js';
export { findReceipt } from './receipts.js';
export { type RegisterFault, type RegisterVerdict, verifyRegister } from './verify.js';
