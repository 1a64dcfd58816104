export { MailboxLocks } from './locks.js';
export type { MaildropStore } from './maildrop.js';
export {
  defaultLimits,
  defaultTimeouts,
  type Pop3Limits,
  type Pop3Mode,
  type Pop3ServerOptions,
  type Pop3Timeouts,
} from './options.js';
export { createPop3Server, type Pop3Server } from './server.js';
