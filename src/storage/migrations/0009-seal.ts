import type { Dialect } from '../statement.js';
import type { Migration } from './migration.js';

const int: Readonly<Record<Dialect, string>> = { sqlite: 'integer', postgres: 'bigint' };
const blob: Readonly<Record<Dialect, string>> = { sqlite: 'blob', postgres: 'bytea' };
const table: Readonly<Record<Dialect, string>> = { sqlite: 'strict', postgres: '' };
const clustered: Readonly<Record<Dialect, string>> = { sqlite: 'strict, without rowid', postgres: '' };

/**
 * The days of the register as they were sealed (part 0: the whole day; from 1: what was there of an open one), legal
 * holds with the audit path of each entry they keep, and the log of administrators' acts and of logins.
 */
export const seal: Migration = {
  version: 9,
  name: 'seal',
  statements: (dialect) => [
    `create table day_seal (
      part ${int[dialect]} not null,
      day text not null,
      recorded_from ${int[dialect]} not null,
      recorded_to ${int[dialect]} not null,
      entries ${int[dialect]} not null,
      lanes text not null,
      root ${blob[dialect]} not null,
      sealed_at ${int[dialect]} not null,
      file_hash text,
      csv_hash text,
      root_token ${blob[dialect]},
      file_token ${blob[dialect]},
      state text not null check (state in ('whole', 'purging', 'purged')),
      primary key (part, day)
    ) ${clustered[dialect]}`,
    `create table legal_hold (
      identificativo text primary key,
      reason text not null,
      created_at ${int[dialect]} not null
    ) ${table[dialect]}`,
    `create table held_entry (
      lane ${int[dialect]} not null,
      seq ${int[dialect]} not null,
      identificativo text not null,
      day text not null,
      position ${int[dialect]} not null,
      size ${int[dialect]} not null,
      path ${blob[dialect]} not null,
      primary key (lane, seq)
    ) ${clustered[dialect]}`,
    'create index held_entry_identificativo on held_entry (identificativo)',
    `create table act (
      seq ${int[dialect]} primary key,
      at ${int[dialect]} not null,
      actor text not null,
      action text not null,
      target text not null,
      detail text not null,
      salt ${blob[dialect]} not null,
      leaf ${blob[dialect]} not null,
      link ${blob[dialect]} not null
    ) ${table[dialect]}`,
  ],
};
