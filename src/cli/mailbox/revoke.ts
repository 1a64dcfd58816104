import { changeMailbox } from '../accounts.js';

export const run = changeMailbox((accounts, address) => accounts.revoke(address));
