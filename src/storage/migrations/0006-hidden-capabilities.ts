import type { Dialect } from '../statement.js';
import type { Migration } from './migration.js';

const int: Readonly<Record<Dialect, string>> = { sqlite: 'integer', postgres: 'bigint' };
const clustered: Readonly<Record<Dialect, string>> = { sqlite: 'strict, without rowid', postgres: '' };

/** What one mailbox's IMAP sessions are not offered, by the capability's name. */
export const hiddenCapabilities: Migration = {
  version: 6,
  name: 'hidden-capabilities',
  statements: (dialect) => [
    `create table hidden_capability (
      mailbox_id ${int[dialect]} not null references mailbox (id),
      capability text not null,
      primary key (mailbox_id, capability)
    ) ${clustered[dialect]}`,
  ],
};
