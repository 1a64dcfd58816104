import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { after, describe, it } from 'node:test';
import { leafHash, verifyInclusion } from '../../src/ledger/index.js';
import { dayOf, purgeDays } from '../../src/registro/index.js';
import { pathsOf } from '../../src/registro/seal/paths.js';
import { ledgerEvent, StoreConflict } from '../../src/storage/index.js';
import { type SealedRegister, sealedRegister } from './sealing.js';

const DAY = 24 * 3_600_000;
const NOW = Date.now();
const START = NOW - 1100 * DAY;
const HELD = 'opec.conteso@pec.alfa.example';

/** Three years of days: most with a few entries, some with none; every hundredth of them with one that will be held. */
async function years(): Promise<SealedRegister> {
  const register = await sealedRegister();
  for (let day = 0; day < 1100; day += 1) {
    if (day % 7 === 3) continue;
    const events = Array.from({ length: 1 + (day % 4) }, (_, at) => ({
      identificativo: `opec.${day}.${at}@pec.alfa.example`,
    }));
    register.record(START + day * DAY, events);
    if (day % 100 === 0)
      register.record(START + day * DAY, [{ identificativo: HELD, subject: `Giorno ${day}` }]);
  }
  return register;
}

describe('registro: deletion by whole days, and legal holds, over three years of days', () => {
  let register: SealedRegister | undefined;
  after(() => register?.remove());

  it('leaves roots, links and what is held with its proof; verify is right before, in between and afterwards', async () => {
    register = await years();
    const { store, files, telemetry } = register;
    await store.write('addHold', { identificativo: HELD, reason: 'Trib. Torino 12/2026', now: NOW });
    const { closed } = await register.sealer.sealDue();
    assert.ok(closed.length >= 1100, String(closed.length));
    assert.equal((await register.verify(NOW)).reason, null);
    const parts = { store, folder: files, telemetry };
    const before = NOW - 913 * DAY;
    const purged = await purgeDays(parts, before);
    const last = closed.filter(({ recordedTo }) => recordedTo <= before).at(-1);
    assert.ok(last && purged.length > 180);
    assert.equal(purged.at(-1), last.day);
    assert.deepEqual(await purgeDays(parts, before), []);
    assert.equal((await register.verify(NOW)).reason, null);

    const rows = await store.read('pageRegister', { limit: 100_000 });
    const old = rows.filter(({ recordedAt }) => recordedAt < last.recordedTo);
    assert.deepEqual(
      old.map(({ subject }) => subject),
      ['Giorno 0', 'Giorno 100'],
    );
    const proofs = await store.read('pageHeld', { limit: 100 });
    for (const [at, row] of old.entries()) {
      const proof = proofs[at];
      const seal = await store.read('findSeal', { day: dayOf(row.recordedAt).name, part: 0 });
      assert.ok(proof && seal?.state === 'purged');
      assert.ok(verifyInclusion(leafHash(row.salt, ledgerEvent(row, row)), proof, seal.root));
    }
    // What is still found by its id.
    assert.equal((await store.read('searchRegister', { identificativo: HELD, limit: 100 })).length, 10);
    const gone = pathsOf(files, { day: last.day, part: 0 });
    await assert.rejects(stat(gone.file), /ENOENT/);
    await assert.rejects(stat(gone.csv), /ENOENT/);
    const next = pathsOf(files, { day: dayOf(last.recordedTo).name, part: 0 });
    assert.ok((await readdir(next.folder)).length > 0);
    assert.ok((await stat(next.file)).size > 0);
  });

  it('what is changed after a purge is found: held rows, what is added, what is missing', async () => {
    assert.ok(register);
    const { store } = register;
    const sabotage = async (sql: string, expected: RegExp) => {
      register?.tamper((db) => db.exec('savepoint before_it'));
      register?.tamper((db) =>
        db.exec(`create table saved_rows as select * from registro;
        create table saved_held as select * from held_entry; create table saved_seals as select * from day_seal`),
      );
      register?.tamper((db) => db.exec('release before_it'));
      register?.tamper((db) => db.exec(sql));
      const { reason } = (await register?.verify(NOW)) ?? {};
      register?.tamper((db) =>
        db.exec(`begin; delete from registro; insert into registro select * from saved_rows;
          delete from held_entry; insert into held_entry select * from saved_held;
          delete from day_seal; insert into day_seal select * from saved_seals;
          drop table saved_rows; drop table saved_held; drop table saved_seals; commit`),
      );
      assert.match(reason ?? 'fits', expected, sql);
    };
    const [held] = await store.read('pageHeld', { limit: 1 });
    assert.ok(held);
    const where = `lane = ${held.lane} and seq = ${held.seq}`;
    await sabotage(`update registro set subject = 'Altro' where ${where}`, /content was changed/);
    await sabotage(`delete from registro where ${where}`, /under legal hold is missing/);
    await sabotage(`delete from held_entry where ${where}`, /day that was deleted/);
    await sabotage(`update held_entry set position = position + 1 where ${where}`, /proof of a held entry/);
    await sabotage(
      `insert into registro select lane, seq + 1, identificativo, at, event, sender, recipients, subject, related, gestore, detail, recorded_at, salt, leaf, link from registro where ${where}`,
      /day that was deleted/,
    );
    await sabotage(
      `delete from registro where seq = (select min(seq) from registro where seq > (select max(seq) from held_entry))`,
      /missing/,
    );
    await sabotage(
      `update day_seal set state = 'purged' where day = (select min(day) from day_seal where state = 'whole')`,
      /day that was deleted/,
    );
    await sabotage(
      `delete from day_seal where day = (select max(day) from day_seal where state = 'purged')`,
      /missing|deleted|does not go on/,
    );
  });

  it('a run that was killed in the middle of a day is taken up', async () => {
    assert.ok(register);
    const { store, files, telemetry } = register;
    const day = await store.read('oldestKeptDay', {});
    const seal = day && (await store.read('findSeal', day));
    assert.ok(seal);
    const dies = {
      read: store.read.bind(store),
      write: async (name: string, input: unknown) => {
        if (name === 'endPurge') throw new Error('killed');
        return store.write(name as never, input as never);
      },
    };
    await assert.rejects(
      purgeDays({ store: dies as never, folder: files, telemetry }, seal.recordedTo),
      /killed/,
    );
    assert.equal((await store.read('findSeal', seal))?.state, 'purging');
    assert.equal((await register.verify(NOW)).reason, null);
    await assert.rejects(
      store.write('addHold', { identificativo: 'opec.x@pec.alfa.example', reason: '', now: NOW }),
      StoreConflict,
    );
    assert.deepEqual(await purgeDays({ store, folder: files, telemetry }, seal.recordedTo), [seal.day]);
    assert.equal((await register.verify(NOW)).reason, null);
  });

  it('a hold that ends lets go at once what it kept beyond its time', async () => {
    assert.ok(register);
    const { store } = register;
    assert.deepEqual(await store.write('removeHold', { identificativo: HELD }), { removed: 2 });
    assert.deepEqual(await store.read('listHolds', {}), []);
    assert.equal((await store.read('searchRegister', { identificativo: HELD, limit: 100 })).length, 8);
    assert.equal((await register.verify(NOW)).reason, null);
    await assert.rejects(store.write('removeHold', { identificativo: HELD }), StoreConflict);
  });
});
