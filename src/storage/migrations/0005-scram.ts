import type { Dialect } from '../statement.js';
import type { Migration } from './migration.js';

const int: Readonly<Record<Dialect, string>> = { sqlite: 'integer', postgres: 'bigint' };
const blob: Readonly<Record<Dialect, string>> = { sqlite: 'blob', postgres: 'bytea' };
const table: Readonly<Record<Dialect, string>> = { sqlite: 'strict', postgres: '' };

/**
 * What SCRAM-SHA-256 checks a login against (RFC 5802 3). Passwords of before have no row until their owner logs in with the password
 * itself: from argon2id nothing can be computed.
 */
export const scram: Migration = {
  version: 5,
  name: 'scram',
  statements: (dialect) => [
    `create table scram (
      mailbox_id ${int[dialect]} primary key references mailbox (id),
      iterations ${int[dialect]} not null,
      salt ${blob[dialect]} not null,
      stored_key ${blob[dialect]} not null,
      server_key ${blob[dialect]} not null
    ) ${table[dialect]}`,
  ],
};
