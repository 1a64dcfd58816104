import { statement } from '../statement.js';

/** Those among the hashes that have a row: a file of any other is an orphan. */
export const knownBlobs = statement<{ hashes: readonly string[] }, { hash: string }>((db, p) =>
  db.selectFrom('blob').select('hash').where('hash', 'in', p.each('hashes')),
);
