export { Accounts, type AccountsOptions, type Authentication } from './accounts.js';
export { AccountError, type AccountErrorCode } from './errors.js';
export { loggedName } from './logged-name.js';
