import type { Issuer } from '../issuing/index.js';
import {
  type Certified,
  keywordOf,
  type LegalTime,
  type Notification,
  serviceAddress,
} from '../pec/index.js';
import { Rope } from '../rope/index.js';
import type { ChangeSet, EventType } from '../storage/index.js';

/** A notification from this gestore to its own user: it goes straight into the mailbox. */
export interface OwnNotice {
  readonly time: LegalTime;
  readonly mailboxId: number;
  readonly to: string;
  readonly certified: Certified;
  readonly notification: Notification;
  /** What the register says beside the eight fields. */
  readonly detail?: Readonly<Record<string, string>>;
}

/**
 * Issues a notification to a user of this gestore: kept as a receipt, put in INBOX, entered in the register. Receipts
 * are always stored, whatever the quota (decisions 9).
 * @returns the notification's Message-ID
 */
export async function issueToOwnUser(issuer: Issuer, notice: OwnNotice, changes: ChangeSet): Promise<string> {
  const { time, certified, notification } = notice;
  const sealed = await issuer.notification({ time, to: notice.to, certified, notification });
  const rope = Rope.of(`Return-Path: <${serviceAddress(issuer.provider.mailDomain)}>\r\n`, sealed.rope);
  const content = await changes.content(rope);
  const recipient = ('recipient' in notification ? notification.recipient : undefined) ?? '';
  changes.receipt({
    direction: 'issued',
    origin: issuer.provider.name,
    identificativo: certified.identificativo,
    kind: notification.kind,
    recipient,
    step: 'step' in notification ? notification.step : '',
    messageId: sealed.messageId,
    content,
    at: time.epochMs,
  });
  changes.deposit({
    mailboxId: notice.mailboxId,
    folder: 'INBOX',
    content,
    size: rope.length,
    internalDate: time.epochMs,
    flags: [keywordOf(notification.kind)],
    withinQuota: false,
  });
  const event: EventType = notification.kind;
  changes.event({
    identificativo: certified.identificativo,
    at: time.epochMs,
    event,
    sender: certified.sender,
    recipients: recipient === '' ? certified.recipients.map(({ address }) => address) : [recipient],
    subject: certified.subject,
    related: [sealed.messageId],
    gestore: issuer.provider.name,
    detail: { ...(certified.msgid === undefined ? {} : { msgid: certified.msgid }), ...notice.detail },
  });
  return sealed.messageId;
}
