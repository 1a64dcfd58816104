import type { Dialect } from '../statement.js';
import type { Migration } from './migration.js';

const int: Readonly<Record<Dialect, string>> = { sqlite: 'integer', postgres: 'bigint' };
const clustered: Readonly<Record<Dialect, string>> = { sqlite: 'strict, without rowid', postgres: '' };

/** What a mailbox does with ordinary mail, and of which certified senders somebody is to be told. */
export const mailboxRules: Migration = {
  version: 8,
  name: 'mailbox-rules',
  statements: (dialect) => [
    'alter table mailbox add column ordinary text',
    `create table watched_sender (
      mailbox_id ${int[dialect]} not null references mailbox (id),
      sender_key text not null,
      notified_key text not null,
      sender text not null,
      notified text not null,
      created_at ${int[dialect]} not null,
      primary key (mailbox_id, sender_key, notified_key)
    ) ${clustered[dialect]}`,
  ],
};
