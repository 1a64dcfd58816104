export { Accounts, type AccountsOptions, type Authentication, type ThrottleCause } from './accounts.js';
export { AccountError, type AccountErrorCode } from './errors.js';
export { loggedName } from './logged-name.js';
