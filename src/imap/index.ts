export { hideableCapabilities } from './commands/index.js';
export {
  defaultLimits,
  defaultTimeouts,
  type ImapLimits,
  type ImapMode,
  type ImapServerOptions,
  type ImapTimeouts,
} from './options.js';
export { RecentClaims } from './recent.js';
export { createImapServer, type ImapServer } from './server.js';
