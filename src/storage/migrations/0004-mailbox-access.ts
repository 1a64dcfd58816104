import type { Dialect } from '../statement.js';
import type { Migration } from './migration.js';

const int: Readonly<Record<Dialect, string>> = { sqlite: 'integer', postgres: 'bigint' };
const blob: Readonly<Record<Dialect, string>> = { sqlite: 'blob', postgres: 'bytea' };
const table: Readonly<Record<Dialect, string>> = { sqlite: 'strict', postgres: '' };
const clustered: Readonly<Record<Dialect, string>> = { sqlite: 'strict, without rowid', postgres: '' };

/**
 * What IMAP needs of the mailboxes: flags by bits, what was expunged lately, subscriptions, and of each content what is
 * computed once (its summary). `summary_due` says which contents have none yet.
 */
export const mailboxAccess: Migration = {
  version: 4,
  name: 'mailbox-access',
  statements: (dialect) => [
    `alter table mailbox add column last_uid_validity ${int[dialect]} not null default 0`,
    `update mailbox set last_uid_validity =
      coalesce((select max(uid_validity) from folder where mailbox_id = mailbox.id), 0)`,
    `alter table folder add column selectable ${int[dialect]} not null default 1`,
    `alter table folder add column expunged_floor ${int[dialect]} not null default 0`,
    'alter table message rename column flags to keywords',
    `alter table message add column system ${int[dialect]} not null default 0`,
    `alter table message add column saved_at ${int[dialect]} not null default 0`,
    'update message set saved_at = internal_date',
    'create index message_modseq on message (folder_id, modseq)',
    `create table expunged (
      folder_id ${int[dialect]} not null references folder (id),
      uid ${int[dialect]} not null,
      modseq ${int[dialect]} not null,
      primary key (folder_id, uid)
    ) ${clustered[dialect]}`,
    'create index expunged_modseq on expunged (folder_id, modseq)',
    `create table subscription (
      mailbox_id ${int[dialect]} not null references mailbox (id),
      name text not null,
      primary key (mailbox_id, name)
    ) ${clustered[dialect]}`,
    'insert into subscription (mailbox_id, name) select mailbox_id, name from folder',
    `create table summary (
      content_id ${int[dialect]} primary key references content (id),
      header ${blob[dialect]},
      envelope text not null,
      body text not null,
      body_structure text not null,
      parts text not null,
      sort text not null,
      preview text not null,
      indexed ${int[dialect]} not null
    ) ${table[dialect]}`,
    `create table summary_due (
      content_id ${int[dialect]} primary key references content (id)
    ) ${table[dialect]}`,
    'insert into summary_due (content_id) select distinct content_id from message',
    ...(dialect === 'sqlite' ? [textIndex] : []),
  ],
};

/**
 * The folded text of each content by its trigrams: a filter, never the answer. Without its content (what is found is looked
 * at again) and without positions (a word's trigrams are asked for one by one), a tenth of a full index.
 */
const textIndex = `create virtual table content_text using fts5 (
  text, content='', contentless_delete=1, detail=none, tokenize='trigram case_sensitive 1'
)`;
