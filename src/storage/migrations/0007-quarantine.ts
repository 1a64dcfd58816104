import type { Dialect } from '../statement.js';
import type { Migration } from './migration.js';

const int: Readonly<Record<Dialect, string>> = { sqlite: 'integer', postgres: 'bigint' };
const table: Readonly<Record<Dialect, string>> = { sqlite: 'strict', postgres: '' };

/** Infected messages (RFC 6109 2.2.4): the index of what lies encrypted among the contents. */
export const quarantine: Migration = {
  version: 7,
  name: 'quarantine',
  statements: (dialect) => [
    `create table quarantine (
      id text primary key,
      at ${int[dialect]} not null,
      kind text not null check (kind in ('submission', 'envelope', 'notification', 'anomaly')),
      identificativo text not null,
      gestore text not null,
      sender text not null,
      recipients text not null,
      subject text not null,
      virus text not null,
      engine text not null,
      sha256 text not null,
      size ${int[dialect]} not null,
      key_id text not null,
      content_id ${int[dialect]} not null references content (id)
    ) ${table[dialect]}`,
    'create index quarantine_at on quarantine (at, id)',
    'create index quarantine_content on quarantine (content_id)',
    'create index quarantine_identificativo on quarantine (identificativo)',
    'create index quarantine_key on quarantine (key_id)',
  ],
};
