import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { findReceipt, verifyRegister } from '../../src/registro/index.js';
import { StoreUnavailable } from '../../src/storage/index.js';
import { consegna, errore, from, noticeFrom } from '../incoming-point/answers-of-beta.js';
import { anna, bruno } from '../incoming-point/arrivals.js';
import { sharedPair } from '../support/pair.js';
import type { Point } from '../support/points.js';

/** Changes the database as whoever has the disk may, verifies, and puts it back as it was. */
async function tampered(point: Point, change: (database: Database.Database) => void) {
  const database = new Database(point.database);
  const rows = database.prepare('select rowid as place, * from registro').all();
  try {
    change(database);
    return await verifyRegister(point.store);
  } finally {
    database.exec('delete from registro');
    for (const row of rows as Record<string, unknown>[]) {
      const { place, ...columns } = row;
      const names = ['rowid', ...Object.keys(columns)];
      const holes = names.map(() => '?').join(', ');
      database
        .prepare(`insert into registro (${names.join(', ')}) values (${holes})`)
        .run(place, ...Object.values(columns));
    }
    database.close();
  }
}

const CHANGED = 'il contenuto è stato modificato / the content was changed';
const BROKEN = 'la catena è interrotta / the chain is broken here';
const MISPLACED = 'riga doppia o fuori posto / doubled or misplaced entry';
const UNREADABLE = 'la riga non è leggibile / the entry cannot be read';

describe('registro: verify', () => {
  const here = sharedPair();

  async function filled(): Promise<{ point: Point; entries: number }> {
    const { alfa } = here();
    const have = (await alfa.events()).length;
    for (let more = have; more < 12; more += 2)
      await alfa.submit({ from: anna, to: [bruno], subject: `Numero ${more}` });
    return { point: alfa, entries: (await alfa.events()).length };
  }

  /** The place of the first fault. */
  async function faultAt(change: (database: Database.Database) => void) {
    const { point } = await filled();
    const { fault } = await tampered(point, change);
    assert.deepEqual(await verifyRegister(point.store), {
      entries: (await point.events()).length,
      lanes: 1,
      fault: null,
    });
    return fault;
  }

  it('an untouched register holds, an empty one too', async () => {
    const { point, entries } = await filled();
    assert.deepEqual(await verifyRegister(point.store), { entries, lanes: 1, fault: null });
    const { beta } = here();
    assert.deepEqual(await verifyRegister(beta.store), { entries: 0, lanes: 0, fault: null });
  });

  const columns: readonly [string, unknown][] = [
    ['identificativo', 'altro@pec.alfa.example'],
    ['at', 1],
    ['event', 'non-accettazione'],
    ['sender', 'altri@pec.alfa.example'],
    ['recipients', '["altri@pec.beta.example"]'],
    ['subject', 'Altro oggetto'],
    ['related', '[]'],
    ['gestore', 'Altro gestore'],
    ['detail', '{}'],
    ['recorded_at', 5],
    ['salt', Buffer.alloc(16)],
    ['leaf', Buffer.alloc(32)],
  ];
  for (const [column, value] of columns) {
    it(`a changed ${column} is found where it is`, async () => {
      const fault = await faultAt((db) =>
        db.prepare(`update registro set ${column} = ? where seq = 5`).run(value),
      );
      assert.deepEqual([fault?.lane, fault?.seq, fault?.reason], [0, 5, CHANGED]);
      assert.ok(fault?.identificativo);
    });
  }

  it('a changed link is found where it is', async () => {
    const fault = await faultAt((db) =>
      db.prepare('update registro set link = ? where seq = 5').run(Buffer.alloc(32)),
    );
    assert.deepEqual([fault?.seq, fault?.reason], [5, BROKEN]);
  });

  it('a change with a leaf made to fit is found by the link, one with both by the next entry', async () => {
    const { leafHash, linkHash } = await import('../../src/ledger/index.js');
    const { ledgerEvent } = await import('../../src/storage/index.js');
    const { point } = await filled();
    const rows = await point.store.read('pageRegister', { limit: 100 });
    const [before, row] = [rows.find(({ seq }) => seq === 4), rows.find(({ seq }) => seq === 5)];
    assert.ok(before && row);
    const forged = { ...row, subject: 'Riscritto' };
    const leaf = leafHash(row.salt, ledgerEvent(forged, row));
    const put = (link: Uint8Array) => (db: Database.Database) =>
      db
        .prepare('update registro set subject = ?, leaf = ?, link = ? where seq = 5')
        .run('Riscritto', leaf, link);
    assert.deepEqual((await faultAt(put(row.link)))?.reason, BROKEN);
    const next = await faultAt(put(linkHash(before.link, leaf)));
    assert.deepEqual([next?.seq, next?.reason], [6, BROKEN]);
  });

  it('missing entries are found, at the beginning and in the middle', async () => {
    const middle = await faultAt((db) => db.exec('delete from registro where seq in (5, 6)'));
    assert.deepEqual(
      [middle?.seq, middle?.reason],
      [7, 'mancano le righe da 5 a 6 / entries 5 to 6 are missing'],
    );
    const first = await faultAt((db) => db.exec('delete from registro where seq = 1'));
    assert.deepEqual(
      [first?.seq, first?.reason],
      [2, 'mancano le righe da 1 a 1 / entries 1 to 1 are missing'],
    );
  });

  it('added entries are found: at the end, before the beginning, in another lane', async () => {
    const copy = (lane: number, seq: number | string) => (db: Database.Database) =>
      db.exec(
        `insert into registro select ${lane}, ${seq}, identificativo, at, event, sender, recipients, subject, related, gestore, detail, recorded_at, salt, leaf, link from registro where seq = 3 and lane = 0`,
      );
    const last = await faultAt(copy(0, '(select max(seq) + 1 from registro)'));
    assert.equal(last?.reason, CHANGED);
    for (const seq of [0, -1, -1_000_000]) {
      const fault = await faultAt(copy(0, seq));
      assert.deepEqual([fault?.seq, fault?.reason], [seq, MISPLACED]);
    }
    assert.equal(
      (await faultAt(copy(-1, 1)))?.reason,
      'riga aggiunta fuori da ogni catena / entry added outside every chain',
    );
    assert.equal((await faultAt(copy(1, 1)))?.reason, CHANGED);
    assert.match((await faultAt(copy(1, 2)))?.reason ?? '', /entries 1 to 1 are missing/);
  });

  it('two entries that changed places are found', async () => {
    const fault = await faultAt((db) =>
      db.exec(
        'update registro set seq = -5 where seq = 5; update registro set seq = 5 where seq = 6; update registro set seq = 6 where seq = -5',
      ),
    );
    assert.deepEqual([fault?.seq, fault?.reason], [5, CHANGED]);
  });

  it('an entry that cannot even be read is a fault, not a crash', async () => {
    for (const [column, value] of [
      ['recipients', 'non json'],
      ['recipients', '["a"'],
      ['recipients', 'null'],
      ['recipients', '{"0":"a"}'],
      ['recipients', '[1]'],
      ['related', '"testo"'],
      ['related', ''],
      ['detail', 'null'],
      ['detail', '[]'],
      ['detail', '{"a":1}'],
      ['detail', '{"a":'],
    ] as const) {
      const fault = await faultAt((db) =>
        db.prepare(`update registro set ${column} = ? where seq = 5`).run(value),
      );
      assert.deepEqual([fault?.seq, fault?.reason], [5, UNREADABLE], `${column} ${value}`);
    }
    const huge = await faultAt((db) => db.exec('update registro set at = 9007199254740993 where seq = 5'));
    assert.equal(huge?.seq, 5);
  });

  it('any single change of any entry is found, at or just after it', async () => {
    const { point, entries } = await filled();
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: entries }),
        fc.constantFrom(...columns),
        async (seq, [column, value]) => {
          const { fault } = await tampered(point, (db) =>
            db.prepare(`update registro set ${column} = ? where seq = ?`).run(value, seq),
          );
          const [row] = (await point.events()).filter((entry) => entry.seq === seq);
          const same =
            row !== undefined &&
            JSON.stringify((row as unknown as Record<string, unknown>)[column]) === value;
          assert.ok(same || fault?.seq === seq);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('a store that does not answer is no verdict', async () => {
    const { alfa } = here();
    alfa.switches.beforeRead = () => {
      throw new StoreUnavailable('locked', 'locked');
    };
    await assert.rejects(verifyRegister(alfa.store), { name: 'StoreUnavailable' });
    alfa.switches.beforeRead = undefined;
  });

  it('what goes on being written while it is verified does no harm', async () => {
    const { point } = await filled();
    let wrote = 0;
    point.switches.beforeRead = async (name) => {
      if (name !== 'pageRegister' || wrote++ > 3) return;
      await point.submit({ from: anna, to: [bruno], subject: 'Intanto' });
    };
    const { fault } = await verifyRegister(point.store);
    point.switches.beforeRead = undefined;
    assert.equal(fault, null);
  });
});

describe('registro: receipts', () => {
  const here = sharedPair();
  const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

  it('comes back identical, also after the user deleted it', async () => {
    const pair = here();
    const { alfa } = pair;
    const id = await alfa.submit({ from: anna, to: [bruno] });
    await alfa.receive({
      mailFrom: from,
      recipients: [anna],
      message: await noticeFrom(pair, id, consegna()),
    });
    const inbox = await alfa.inbox(anna);
    const { id: mailboxId } = await alfa.mailbox(anna);
    const rows = await alfa.store.read('listMessages', { mailboxId, folder: 'INBOX' });
    await alfa.store.write('expunge', { mailboxId, ids: rows.map((row) => row.id), now: alfa.clock.now });
    alfa.clock.advance(86_400_000);
    await alfa.store.sweep({ now: alfa.clock.now });
    assert.deepEqual(await alfa.inbox(anna), []);
    const acceptance = await findReceipt(alfa.store, id);
    const delivery = await findReceipt(alfa.store, id, bruno.toUpperCase());
    assert.deepEqual(
      [acceptance?.receipt.kind, delivery?.receipt.kind],
      ['accettazione', 'avvenuta-consegna'],
    );
    const found = await Promise.all(
      [acceptance, delivery].map(async (each) => digest((await each?.bytes.bytes()) ?? Buffer.alloc(0))),
    );
    assert.deepEqual(
      found,
      inbox.map(({ bytes }) => digest(bytes)),
    );
    assert.equal(await findReceipt(alfa.store, id, 'altri@pec.beta.example'), undefined);
    assert.equal(await findReceipt(alfa.store, 'sconosciuto'), undefined);
  });

  it('a non-accettazione is found where the accettazione would be, an errore-consegna where the consegna', async () => {
    const pair = here();
    const { alfa } = pair;
    const refused = await alfa.submit({ from: anna, to: [bruno], fields: ['Bcc: x@y.example'] });
    assert.equal((await findReceipt(alfa.store, refused))?.receipt.kind, 'non-accettazione');
    const id = await alfa.submit({ from: anna, to: [bruno] });
    await alfa.receive({ mailFrom: from, recipients: [anna], message: await noticeFrom(pair, id, errore()) });
    assert.equal((await findReceipt(alfa.store, id, bruno))?.receipt.kind, 'errore-consegna');
  });
});
