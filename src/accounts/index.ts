export { Accounts, type AccountsOptions } from './accounts.js';
export type { Authentication, ThrottleCause } from './authentication.js';
export { AccountError, type AccountErrorCode } from './errors.js';
export { loggedName } from './logged-name.js';
export { MailRules, type MailRulesOptions, type Watch } from './mail-rules.js';
export {
  type ScramChannel,
  type ScramMechanism,
  type ScramOutcome,
  type ScramRefusal,
  type ScramStart,
  scramMechanisms,
  UNBOUND,
} from './scram.js';
