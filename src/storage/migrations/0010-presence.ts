import type { Dialect } from '../statement.js';
import type { Migration } from './migration.js';

const int: Readonly<Record<Dialect, string>> = { sqlite: 'integer', postgres: 'bigint' };
const table: Readonly<Record<Dialect, string>> = { sqlite: 'strict', postgres: '' };

/** When a node served, minute by minute: what availability is computed from. */
export const presence: Migration = {
  version: 10,
  name: 'presence',
  statements: (dialect) => [
    `create table presence (
      node text not null,
      since ${int[dialect]} not null,
      until ${int[dialect]} not null,
      primary key (node, since)
    ) ${table[dialect]}`,
    'create index presence_until on presence (until)',
  ],
};
