import type { Dialect } from '../statement.js';
import type { Migration } from './migration.js';

const int: Readonly<Record<Dialect, string>> = { sqlite: 'integer', postgres: 'bigint' };
const clustered: Readonly<Record<Dialect, string>> = { sqlite: 'strict, without rowid', postgres: '' };

/**
 * The queue is claimed by kind or by destination: a backlog of one is not walked to find the other. And the directory
 * counts its changes.
 */
export const queueScopes: Migration = {
  version: 2,
  name: 'queue-scopes',
  statements: (dialect) => [
    'drop index queue_due',
    'create index queue_kind on queue (state, kind, next_attempt, destination)',
    'create index queue_destination on queue (state, destination, next_attempt, kind)',
    `create table directory_version (
      id ${int[dialect]} primary key check (id = 1),
      version ${int[dialect]} not null
    ) ${clustered[dialect]}`,
    'insert into directory_version (id, version) values (1, 0)',
  ],
};
