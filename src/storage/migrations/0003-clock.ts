import type { Migration } from './migration.js';

/** The last measurement of the clock is looked up among all the entries of the register. */
export const clock: Migration = {
  version: 3,
  name: 'clock',
  statements: () => [`create index registro_clock on registro (lane, seq) where event = 'orologio'`],
};
