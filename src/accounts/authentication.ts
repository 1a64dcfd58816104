import type { Mailbox } from '../storage/index.js';

/** Why a login has to wait: failures of that account from that network, failures from that network, too many logins at once. */
export type ThrottleCause = 'account' | 'network' | 'busy';

/**
 * What came of a login. `throttled`: nothing was tried; try again later.
 * A suspended holder logs in: `mailbox.state` says that he may read and not send.
 */
export type Authentication =
  | { readonly ok: true; readonly mailbox: Mailbox }
  | { readonly ok: false; readonly reason: 'bad' | 'revoked' }
  | { readonly ok: false; readonly reason: 'throttled'; readonly cause: ThrottleCause };
