export {
  defaultLimits,
  defaultTimeouts,
  type ImapLimits,
  type ImapMode,
  type ImapTimeouts,
  type Services,
} from './options.js';
export { RecentClaims } from './recent.js';
export { type Peer, Session } from './session.js';
