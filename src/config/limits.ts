/** How large, how many and how fast: the section `limits` of the configuration. */
import { z } from 'zod';
import { count, key, mailAddress, size } from './values.js';

export const limits = z.strictObject({
  message_size: key(size, {
    description: 'Largest message certified, as received. The law wants 30MB at least.',
    default: '30MB',
  }),
  recipients: key(count, {
    description: 'Most recipients of one message. The law wants 50 at least.',
    default: 50,
  }),
  recipients_hard: key(count, {
    description:
      'RCPT taken at all: between the two the answer is a non-accettazione, beyond it an SMTP error.',
    default: 500,
  }),
  size_times_recipients: key(size, {
    description: 'Largest size x recipients of one message. The law wants 30MB at least.',
    default: '30MB',
  }),
  hard_size: key(size.nullable(), {
    description:
      'Message taken at all (SIZE, 552): between message_size and this the answer is a non-accettazione. null: four thirds of message_size.',
    default: null,
  }),
  incoming_size: key(size, {
    description: 'Largest message taken from other gestori: complete receipts are larger than originals.',
    default: '110MB',
  }),
  mailbox_quota: key(size, { description: 'Quota of a new mailbox.', default: '1GB' }),
  receipts_reserve: key(size, {
    description:
      'Room beyond the quota where receipts are still stored; when it is spent submissions get 452.',
    default: '100MB',
  }),
  disk_reserve: key(size, {
    description:
      'Room that stays free on the disk for receipts and deliveries: below it submissions get 452, below half of it all mail does.',
    default: '512MB',
  }),
  queue: key(count, {
    description:
      'Rows that may wait in the outbound queue: past it submissions get 451, past twice as many all mail does.',
    default: 500_000,
  }),
  connections_total: key(count, {
    description:
      'Open connections of all listeners but mx together: mx has a bound of its own (connections).',
    default: 5000,
  }),
  connections: key(count, {
    description: 'Open connections of one protocol: submission, mx, pop3, imap, https.',
    default: 2000,
  }),
  connections_per_address: key(count, {
    description: 'Open connections of one remote address (of IPv6 one /64) to one protocol.',
    default: 200,
  }),
  transfers: key(count, { description: 'Messages being taken in at once.', default: 500 }),
  transfers_per_address: key(count, {
    description: 'Messages being taken in at once from one remote address (of IPv6 one /64).',
    default: 100,
  }),
  spool_size: key(size, { description: 'Octets of all messages being taken in.', default: '8GB' }),
  spool_size_per_address: key(size, {
    description: 'Octets of the messages being taken in from one remote address (of IPv6 one /64).',
    default: '4GB',
  }),
  session_errors: key(count, {
    description: 'Commands refused in one session before it is ended.',
    default: 100,
  }),
  session_logins: key(count, {
    description: 'Failed or throttled logins of one session before it is ended.',
    default: 5,
  }),
  session_idle_commands: key(count, {
    description:
      'Commands of an SMTP session between two messages that bring none further (NOOP, RSET, EHLO).',
    default: 100,
  }),
  messages_per_hour: key(count, { description: 'Messages one mailbox may send in an hour.', default: 500 }),
  messages_per_day: key(count, { description: 'Messages one mailbox may send in a day.', default: 2000 }),
  recipients_per_day: key(count, {
    description: 'Recipients of the messages one mailbox may send in a day.',
    default: 5000,
  }),
  bulk_senders: key(z.array(mailAddress), {
    description: 'Mailboxes without the three limits above.',
    default: [],
    example: ['fatture@comune.example'],
  }),
  incoming_per_minute: key(count, {
    description:
      'Messages without the signature of a gestore from one remote address (of IPv6 one /64) in a minute; at least connections_per_address. Certified mail is never counted.',
    default: 300,
  }),
});
