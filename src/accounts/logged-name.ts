import { isValidAddress } from '../pec/index.js';

/** How a name that somebody tried to log in with stands in the log: what is no address may be a password in the wrong field. */
export const loggedName = (user: string): string => (isValidAddress(user) ? user : '(no address)');
