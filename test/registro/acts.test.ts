import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { verifyActs } from '../../src/registro/verify-acts.js';
import { type SealedRegister, sealedRegister } from './sealing.js';

const DAY = 86_400_000;

describe('registro: what administrators do', () => {
  let register: SealedRegister;
  let database: Database.Database;
  const heads: string[] = [];
  const act = (action: string, at = Date.now()) =>
    register.store.write('recordAct', { at, actor: 'rossi@nodo1', action, target: 'x', detail: { a: 'b' } });

  before(async () => {
    register = await sealedRegister();
    database = new Database(register.database, { timeout: 30_000 });
    register.record(Date.now() - DAY, [{}]);
    for (const action of ['domain add', 'mailbox add', 'mailbox suspend']) await act(action);
    const [seal] = await register.sealer.sealDue().then(({ closed }) => closed);
    assert.ok(seal !== undefined);
    const events = await register.store.read('searchRegister', { event: 'sigillo', limit: 10 });
    heads.push(...events.flatMap(({ detail }) => detail.atti ?? []));
    await act('queue drop');
  });
  after(async () => {
    database.close();
    await register.remove();
  });

  /** What a change behind the server's back is found as; undone afterwards. */
  async function faultOf(sql: string) {
    const rows = database.prepare('select * from act').all() as Record<string, unknown>[];
    database.exec(sql);
    try {
      return (await verifyActs(register.store, heads)).fault;
    } finally {
      database.exec('delete from act');
      for (const row of rows) {
        const names = Object.keys(row);
        const holes = names.map(() => '?').join(', ');
        database
          .prepare(`insert into act (${names.join(', ')}) values (${holes})`)
          .run(...Object.values(row));
      }
    }
  }

  it('is a chain, and the seal of a day knows where it stood', async () => {
    assert.deepEqual(await verifyActs(register.store, heads), { acts: 4, fault: null });
    assert.equal(heads.length, 1);
    assert.match(heads[0] ?? '', /^3 [0-9a-f]{64}$/);
  });

  for (const [what, sql, seq, reason] of [
    ['a word changed', `update act set target = 'y' where seq = 2`, 2, /modificato/],
    ['an instant changed', 'update act set at = at + 1 where seq = 3', 3, /modificato/],
    ['one missing in between', 'delete from act where seq = 2', 3, /mancano/],
    ['the first missing', 'delete from act where seq = 1', 2, /mancano/],
    ['the end cut off, before the seal', 'delete from act where seq >= 3', 3, /mancano/],
    ['two exchanged', 'update act set seq = case seq when 1 then -1 else seq end', 2, /mancano/],
    ['unreadable', `update act set detail = 'x' where seq = 2`, 1, /leggibile/],
    ['a link of its own', `update act set link = zeroblob(32) where seq = 2`, 2, /interrotta/],
  ] as const) {
    it(`finds ${what}`, async () => {
      const fault = await faultOf(sql);
      assert.equal(fault?.seq, seq);
      assert.match(fault.reason, reason);
    });
  }

  it('one made anew from the start is not the one that the seal knows', async () => {
    const { store } = register;
    const first = (await store.read('pageActs', { after: 0, limit: 1 }))[0];
    assert.ok(first !== undefined);
    const { fault } = await verifyActs(store, [`1 ${'0'.repeat(64)}`]);
    assert.deepEqual([fault?.seq, /sigillo/.test(fault?.reason ?? '')], [1, true]);
  });
});
