import { type Accounts, loggedName } from '../accounts/index.js';
import { isValidAddress } from '../pec/index.js';
import { keep, receivedField, type SmtpHandlers, refusals as shared } from '../smtp/index.js';
import type { Mailbox, Store } from '../storage/index.js';
import type { Telemetry } from '../telemetry/index.js';
import { refusals } from './refusals.js';
import type { SendingLimits } from './sending-limits.js';
import type { AccessPoint } from './submit.js';

export interface SubmissionSessionOptions {
  readonly accessPoint: AccessPoint;
  readonly accounts: Accounts;
  readonly store: Store;
  readonly hostname: string;
  /** Octets beyond the quota kept for receipts; when they are spent the user cannot submit (decisions 9). */
  readonly receiptsReserve: number;
  readonly sending: Pick<SendingLimits, 'begin'>;
  readonly telemetry: Telemetry;
}

/** A submission session: who is logged in may send from his own addresses only (RFC 6109 5.2, decisions 13). */
export function submissionHandlers(options: SubmissionSessionOptions): SmtpHandlers<Mailbox> {
  const { accounts, telemetry } = options;
  return {
    async authenticate({ username, password, remoteAddress }) {
      const session = { protocol: 'submission', peer: remoteAddress } as const;
      const user = loggedName(username);
      const result = await accounts.authenticate({ address: username, password, remote: remoteAddress });
      if (result.ok) {
        telemetry.event('login.ok', { ...session, mailbox: result.mailbox.address });
        return result.mailbox;
      }
      if (result.reason === 'throttled') {
        telemetry.event('login.throttled', { ...session, user, cause: result.cause });
        throw shared.tooManyAttempts();
      }
      telemetry.event('login.failed', { ...session, user, reason: result.reason });
      return undefined;
    },

    async mailFrom(address, { user }) {
      if (address === '') throw refusals.nullSender();
      const mailbox = await current(accounts, user);
      if (mailbox.state !== 'active') throw refusals.suspended();
      const owner = await accounts.find(address);
      if (owner?.id !== mailbox.id) throw refusals.notYourAddress(address);
      if (mailbox.used >= mailbox.quota + options.receiptsReserve) throw refusals.noRoomForReceipts();
    },

    async rcptTo(address) {
      if (!isValidAddress(address)) throw refusals.badRecipient();
    },

    // Here and not at RCPT: a recipient refused would certify the message for a part of them (decisions 13).
    begin(envelope, { user, remoteAddress }) {
      if (user === undefined) throw shared.authenticationRequired();
      const recipients = envelope.recipients.length;
      return options.sending.begin({ mailbox: user.address, recipients, peer: remoteAddress });
    },

    async data(message, envelope, peer, charge) {
      try {
        const mailbox = await current(accounts, peer.user);
        if (mailbox.state !== 'active') throw refusals.suspended();
        const { identificativo } = await options.accessPoint.submit({
          mailbox,
          mailFrom: envelope.mailFrom,
          recipients: envelope.recipients,
          message: await keep(message, options.store),
          longestLine: message.longestLine,
          eightBit: message.eightBit,
          received: (date) => receivedField(peer, options.hostname, date),
        });
        return identificativo;
      } catch (error) {
        // Trying again while we are in trouble shall not use up what a user may send.
        charge.giveBack();
        throw error;
      }
    },
  };
}

/** State and quota as they are now, not as they were at login. */
async function current(accounts: Accounts, user: Mailbox | undefined): Promise<Mailbox> {
  const mailbox = user === undefined ? undefined : await accounts.find(user.address);
  if (mailbox === undefined || mailbox.state === 'revoked') throw refusals.suspended();
  return mailbox;
}
