import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Engine } from '../../../src/storage/engine.js';
import type { RegistroTable } from '../../../src/storage/schema.js';
import { statement } from '../../../src/storage/statement.js';

const allEntries = statement<object, RegistroTable>((db) =>
  db.selectFrom('registro').selectAll().orderBy('lane').orderBy('seq'),
);

const sha256 = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();

/** Recomputes the register's one lane from its rows, by hand. @returns the entries' identificativi in order. */
export async function soundChain(engine: Engine): Promise<string[]> {
  const rows = await engine.read((tx) => tx.all(allEntries, {}), {});
  let link: Uint8Array = Buffer.alloc(32);
  let recordedAt = 0;
  const salts = new Set<string>();
  for (const [at, row] of rows.entries()) {
    assert.equal(row.lane, 0);
    assert.equal(row.seq, at + 1, 'the sequence has no gap');
    assert.ok(row.recorded_at >= recordedAt, 'time does not go back');
    recordedAt = row.recorded_at;
    assert.equal(row.salt.length, 16);
    salts.add(Buffer.from(row.salt).toString('hex'));
    const fields = [
      'ceralacca.event.1',
      row.lane,
      row.seq,
      row.recorded_at,
      row.identificativo,
      row.at,
      row.event,
      row.sender,
      JSON.parse(row.recipients),
      row.subject,
      JSON.parse(row.related),
      row.gestore,
      Object.entries(JSON.parse(row.detail)).sort(),
    ];
    const leaf = sha256(Buffer.of(0), row.salt, Buffer.from(JSON.stringify(fields)));
    assert.deepEqual(Buffer.from(row.leaf), leaf, `leaf of ${row.seq}`);
    link = sha256(link, leaf);
    assert.deepEqual(Buffer.from(row.link), link, `link of ${row.seq}`);
  }
  assert.equal(salts.size, rows.length, 'salts are not repeated');
  return rows.map((row) => row.identificativo);
}
