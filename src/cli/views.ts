/** Records as `--json` prints them: the field names of the API, times as ISO 8601 in UTC, sizes in octets. */
import type {
  Alias,
  Domain,
  Holder,
  Mailbox,
  OrdinaryRule,
  QueueRow,
  WatchedSender,
} from '../storage/index.js';

const iso = (epochMs: number): string => new Date(epochMs).toISOString();

export const domainView = ({ name, createdAt }: Domain) => ({ name, createdAt: iso(createdAt) });

export const holderView = ({ id, name, taxCode, createdAt }: Holder) => ({
  id,
  name,
  taxCode,
  createdAt: iso(createdAt),
});

/** Never the password's hash. */
export const mailboxView = ({ createdAt, ordinary, ...mailbox }: Mailbox) => ({
  address: mailbox.address,
  domain: mailbox.domain,
  kind: mailbox.kind,
  state: mailbox.state,
  holderId: mailbox.holderId,
  quota: mailbox.quota,
  used: mailbox.used,
  ordinary: ruleText(ordinary),
  createdAt: iso(createdAt),
});

/** As `mailbox rule` takes it. */
export function ruleText(rule: OrdinaryRule | null): string {
  if (rule === null) return 'default';
  return rule.kind === 'forward' ? `forward=${rule.to}` : rule.kind;
}

export const watchedView = ({ mailbox, sender, notified, createdAt }: WatchedSender) => ({
  mailbox,
  sender,
  notified,
  createdAt: iso(createdAt),
});

export const aliasView = ({ address, mailbox, createdAt }: Alias) => ({
  address,
  mailbox,
  createdAt: iso(createdAt),
});

export const queueView = (row: QueueRow) => ({
  id: row.id,
  kind: row.kind,
  state: row.state,
  identificativo: row.identificativo,
  mailFrom: row.mailFrom,
  recipient: row.recipient,
  destination: row.destination,
  size: row.size,
  attempts: row.attempts,
  nextAttempt: iso(row.nextAttempt),
  giveUpAt: iso(row.giveUpAt),
  lastError: row.lastError,
  createdAt: iso(row.createdAt),
});
