import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it, test } from 'node:test';
import Database from 'better-sqlite3';
import { loadConfig } from '../../src/config/index.js';
import { Rope } from '../../src/rope/index.js';
import { cleanSpool } from '../../src/smtp/index.js';
import { inspectionRules, openStore, type Store } from '../../src/storage/index.js';
import {
  changes,
  deposit,
  event,
  ID,
  NOW,
  outgoing,
  queueRow,
  receipt,
  reception,
} from '../storage/contract/records.js';
import { scratch } from '../support/openssl.js';
import { needs } from '../support/programs.js';
import { ceralacca } from './terminal.js';

const work = scratch();
after(() => work.remove());
const healthy = work.path('alfa');

const large = randomBytes(200_000);
const hash = createHash('sha256').update(large).digest('hex');
const blobFile = join('data', 'blobs', hash.slice(0, 2), hash.slice(2, 4), hash);

before(async () => {
  const named = ['--name', 'Alfa', '--domain', 'pec.alfa.example'];
  const { code, err } = await ceralacca(['init', '--dir', healthy, ...named]);
  assert.equal(code, 0, err);
  const store = await openStore(loadConfig(join(healthy, 'config', 'gestore.yaml'), {}).storage);
  await fill(store);
  await store.close();
});

/** One message accepted, sent and answered for; one received from elsewhere. */
async function fill(store: Store): Promise<void> {
  const { id } = await store.write('addMailbox', {
    address: 'mario.rossi@pec.alfa.example',
    passwordHash: 'x',
    holderId: null,
    quota: 1_000_000,
    kind: 'user',
    now: NOW,
  });
  const spooled = work.write('large', large);
  const source = await store.blobs.adopt(spooled, hash, large.length);
  const contents = [await store.pack(Rope.of('busta ', source))];
  const size = 6 + large.length;
  const issued = event({ event: 'accettazione', related: [receipt().messageId] });
  await store.write('commitSubmission', {
    ...changes({ contents, receipts: [receipt()], deposits: [deposit(id, size)], events: [issued] }),
    queue: [queueRow({ size })],
    outgoing: outgoing(id),
  });
  const text = [await store.pack(Rope.of('ricevuta'))];
  await store.write('commitNotification', {
    ...changes({
      contents: text,
      receipts: [
        receipt({ direction: 'received', kind: 'avvenuta-consegna', recipient: 'anna@pec.beta.example' }),
      ],
      events: [event({ event: 'ricezione-notifica' })],
    }),
    digest: 'd',
    facts: [{ identificativo: ID, recipient: 'anna@pec.beta.example', fact: 'avvenuta-consegna', at: NOW }],
  });
  const foreign = { origin: 'Beta', identificativo: 'b1@pec.beta.example' };
  const answers = [
    receipt({ ...foreign, kind: 'presa-in-carico', messageId: 'p1' }),
    receipt({ ...foreign, kind: 'avvenuta-consegna', recipient: reception().recipient, messageId: 'c1' }),
  ] as const;
  await store.write('commitReception', {
    ...changes({
      contents: text,
      receipts: answers,
      events: answers.map(({ kind, messageId }) =>
        event({ ...foreign, event: kind, related: [messageId], gestore: 'Beta' }),
      ),
    }),
    reception: [reception(foreign)],
    expect: [],
  });
}

/** What the doctor says of the gestore in this folder. */
async function examined(dir: string): Promise<string[]> {
  const { code, out, err } = await ceralacca([
    'doctor',
    '--deep',
    '--json',
    '-c',
    join(dir, 'config', 'gestore.yaml'),
  ]);
  const findings = JSON.parse(out) as { check: string; result: string; note: string }[];
  const ill = findings.filter(
    ({ check, result }) => result !== 'ok' && !['antivirus', 'disk', 'clock'].includes(check),
  );
  assert.equal(code, ill.some(({ result }) => result === 'failed') ? 1 : 0, err);
  return ill.map(({ check, result, note }) => `${check} ${result} ${note}`);
}

/** A copy of the gestore in which something was changed. */
function damaged(change: (dir: string) => void): string {
  const dir = work.path('sick');
  rmSync(dir, { recursive: true, force: true });
  cpSync(healthy, dir, { recursive: true });
  change(dir);
  return dir;
}

/** What the doctor says once the commands he proposed have been run, word for word. */
async function treated(dir: string, found: readonly string[]): Promise<string[]> {
  for (const finding of found) {
    const [, command] = /: (sqlite3 \S+ "[^"]+")$/.exec(finding) ?? [];
    assert.ok(command, finding);
    const { status, stderr } = spawnSync('sh', ['-c', command], { cwd: dir, encoding: 'utf8' });
    assert.equal(status, 0, `${command}: ${stderr}`);
  }
  return examined(dir);
}

const sql = (...statements: readonly string[]) => {
  return (dir: string): void => {
    const db = new Database(join(dir, 'data', 'ceralacca.db'));
    db.pragma('foreign_keys = OFF');
    for (const one of statements) db.exec(one);
    db.close();
  };
};

function matches(found: readonly string[], patterns: readonly RegExp[]): void {
  assert.equal(found.length, patterns.length, found.join('\n'));
  for (const [index, pattern] of patterns.entries()) assert.match(found[index] ?? '', pattern);
}

/** The doctor sees it, and says these things. */
async function told(change: (dir: string) => void, ...patterns: readonly RegExp[]): Promise<void> {
  matches(await examined(damaged(change)), patterns);
}

/** And what he proposes cures it. */
async function cured(change: (dir: string) => void, ...patterns: readonly RegExp[]): Promise<void> {
  const dir = damaged(change);
  const found = await examined(dir);
  matches(found, patterns);
  assert.deepEqual(await treated(dir, found), []);
}

/** As a command would be typed on that gestore. */
async function run(dir: string, ...words: readonly string[]): Promise<void> {
  const { code, err } = await ceralacca([...words, '-c', join(dir, 'config', 'gestore.yaml')]);
  assert.equal(code, 0, err);
}

/** Damages pages of a table as a bad disk would: the file keeps its length. */
const overwrite = (table: string) => (dir: string) => {
  const file = join(dir, 'data', 'ceralacca.db');
  const db = new Database(file);
  db.pragma('wal_checkpoint(TRUNCATE)');
  const page = db.prepare<[string], number>('select rootpage from sqlite_schema where name = ?').pluck();
  const root = page.get(table) ?? 0;
  const size = Number(db.pragma('page_size', { simple: true }));
  db.close();
  const handle = openSync(file, 'r+');
  writeSync(handle, randomBytes(size), 0, size, (root - 1) * size);
  closeSync(handle);
};

/** A row that its index does not have, as a lost write leaves it. */
const unindex = (table: string, index: string) => (dir: string) => {
  const file = join(dir, 'data', 'ceralacca.db');
  const open = (): Database.Database => {
    const db = new Database(file);
    db.pragma('foreign_keys = OFF');
    db.unsafeMode(true);
    db.pragma('writable_schema = ON');
    return db;
  };
  const db = open();
  const sqlOf = db
    .prepare<[string], string>('select sql from sqlite_schema where name = ?')
    .pluck()
    .get(index);
  db.exec(`create table kept as select * from ${table} limit 1`);
  db.exec(`delete from ${table} where id = (select id from kept)`);
  // While the schema takes it for an index of no rows, one can be put in behind its back.
  db.prepare("update sqlite_schema set sql = sql || ' where 0' where name = ?").run(index);
  db.close();
  const blind = open();
  blind.exec(`insert into ${table} select * from kept`);
  blind.exec('drop table kept');
  blind.prepare('update sqlite_schema set sql = ? where name = ?').run(sqlOf, index);
  blind.close();
};

describe('doctor --deep', { skip: needs('sqlite3') }, () => {
  it('has nothing to say where everything fits', () => told(() => undefined));

  it('pages that the disk has spoilt: the file is named, the rest is looked at all the same', async () => {
    const found = await examined(damaged(overwrite('message')));
    assert.match(found[0] ?? '', /^database failed .*malformed.*To mend: .*restore the last backup/);
    assert.ok(
      found.some((one) => /^quotas failed .*malformed/.test(one)),
      found.join('\n'),
    );
  });

  it('a file that is no database', async () => {
    const spoil = (dir: string): void => {
      rmSync(join(dir, 'data', 'ceralacca.db-wal'), { force: true });
      writeFileSync(join(dir, 'data', 'ceralacca.db'), randomBytes(40_000));
    };
    await told(spoil, /^store failed .*not a database/);
  });

  it('an index that lacks a row', () =>
    cured(
      unindex('message', 'message_content'),
      /^database failed indexes do not have what their tables have: .*message_content.*sqlite3 \S+ "reindex"$/,
    ));

  it('a quota that counts wrong', () =>
    cured(
      sql('update mailbox set used = used + 1 where used > 0'),
      /^quotas failed .*mario\.rossi.*update mailbox/,
    ));

  it('a folder that would give a number out twice, or a change number', async () => {
    const inbox = /^folders failed .*mario\.rossi@pec\.alfa\.example INBOX/;
    await cured(sql('update folder set uid_next = 1'), inbox);
    await cured(sql('update folder set highest_modseq = 0'), inbox);
  });

  it("a message that counts for another mailbox than its folder's", () =>
    cured(
      sql(
        "update message set mailbox_id = (select mailbox_id from address where address_key like 'ricevute@%')",
        'update mailbox set used = (select coalesce(sum(size), 0) from message where mailbox_id = mailbox.id)',
      ),
      /^folders failed messages count for another mailbox/,
    ));

  it('a row that quotes another size', async () => {
    await cured(sql('update queue set size = size + 1'), /^contents failed .*queue row 1/);
    await cured(
      sql('update receipt set size = size + 1 where id = 1'),
      /^contents failed .*receipt 1\. To mend/,
    );
    const [message] = await examined(damaged(sql('update message set size = size + 1')));
    assert.match(message ?? '', /^quotas failed /);
    const dir = damaged(sql('update message set size = size + 1'));
    assert.deepEqual(await treated(dir, (await examined(dir)).slice(1)), []);
  });

  it('contents and blobs that nothing names: the next sweep takes them', async () => {
    const dir = damaged(
      sql(
        "insert into content (size, layout, text) values (0, '[]', x'')",
        `insert into blob (hash, size, bytes) values ('${createHash('sha256').digest('hex')}', 0, x'')`,
      ),
    );
    const found = await examined(dir);
    matches(found, [/^contents warning .*content 4/, /^blobs warning /]);
    assert.deepEqual(await treated(dir, found), []);
    const store = await openStore(loadConfig(join(dir, 'config', 'gestore.yaml'), {}).storage);
    assert.equal((await store.sweep({ now: Date.now() })).contents, 1);
    await store.close();
    assert.deepEqual(await examined(dir), []);
  });

  it('a content that cannot be put together', () =>
    told(
      sql(`update content set layout = '[{"text":[0,5000]}]' where id = 2`),
      /^contents failed they cannot be put together: content 2.*To mend: .*backup/,
    ));

  it('a blob with other bytes, one that is missing, one put back', async () => {
    const mend = /^blobs failed To mend: put files of these names from a backup into /;
    await told(
      (dir) => writeFileSync(join(dir, blobFile), Buffer.alloc(large.length)),
      new RegExp(`^blobs failed blob ${hash} has other bytes than its name says`),
      mend,
    );
    const dir = damaged((where) => rmSync(join(where, blobFile)));
    matches(await examined(dir), [new RegExp(`^blobs failed blob ${hash} has no file`), mend]);
    cpSync(join(healthy, blobFile), join(dir, blobFile));
    assert.deepEqual(await examined(dir), []);
  });

  it('a file of a blob that no row names', () =>
    told((dir) => {
      const name = createHash('sha256').update('x').digest('hex');
      const file = join(dir, 'data', 'blobs', name.slice(0, 2), name.slice(2, 4), name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, 'x');
      utimesSync(file, 1, 1);
    }, /^blobs warning 1 files belong to no row; the daily sweep removes them/));

  it('references that lead nowhere', () =>
    told(sql('delete from mailbox where used > 0'), /^database failed rows point at rows that are gone/));

  it('tracking that disagrees with itself', async () => {
    const open = "kind = 'certificato'";
    const reopen = [
      `update tracking set outcome = null, outcome_at = null, next_step = '24h', next_notice_at = second_notice_at where ${open}`,
      "delete from receipt where direction = 'received'",
      'insert or ignore into content_release (content_id) select id from content',
    ];
    await cured(
      sql("update tracking set next_step = '24h', next_notice_at = 5"),
      /^tracking failed a notice of silence awaits recipients that need none/,
    );
    await cured(
      sql(...reopen, `update tracking set next_step = null where ${open}`),
      /^tracking failed deadlines without their step/,
    );
    await cured(
      sql(...reopen, `update tracking set next_notice_at = null where ${open}`),
      /^tracking failed deadlines without their step/,
    );
    await cured(
      sql(...reopen, `update tracking set next_step = null, next_notice_at = null where ${open}`),
      /^tracking failed recipients await an outcome, and no notice/,
    );
    await cured(
      sql(`update tracking set outcome_at = null where ${open}`),
      /^tracking failed outcomes without their date/,
    );
    await told(
      sql('delete from tracking'),
      /^tracking failed nobody watches what became of their recipients/,
    );
  });

  it('tracking that disagrees with the receipts', async () => {
    await told(
      sql("update receipt set kind = 'preavviso-errore-consegna' where direction = 'received'"),
      /^tracking failed an outcome is recorded, its receipt is not kept: .*Anna/,
    );
    await cured(
      sql(
        "update tracking set outcome = null, outcome_at = null, next_step = '24h', next_notice_at = second_notice_at where kind = 'certificato'",
      ),
      /^tracking failed a final receipt is kept, its outcome is not recorded: .*Anna/,
    );
  });

  it('a repetition that would be answered otherwise', () =>
    told(sql('update reception set outcome_receipt_id = presa_receipt_id'), /^receptions failed /));

  it('what is not in the register', () =>
    told(
      sql("delete from registro where event = 'accettazione'"),
      /^registro failed accepted messages have no entry/,
      /^registro failed receipts have no entry: accettazione/,
      /^registro failed lane 0, entry 2/,
    ));

  it('an entry of the register that was changed', () =>
    told(sql("update registro set subject = 'altro' where seq = 1"), /^registro failed lane 0, entry 1/));

  it('a queue row that is neither free nor leased, and one another node has leased', async () => {
    const held = sql("update queue set state = 'leased'");
    const dir = damaged(held);
    matches(await examined(dir), [/^queue failed .*queue row 1\. To mend: "ceralacca queue hold ID"/]);
    await run(dir, 'queue', 'hold', '1');
    await run(dir, 'queue', 'retry', '1');
    assert.deepEqual(await examined(dir), []);
    const elsewhere = damaged(
      sql("update queue set state = 'leased', lease_owner = 'vecchio.example', lease_until = 2000000000000"),
    );
    matches(await examined(elsewhere), [
      /^leases warning leased elsewhere: queue row 1 by vecchio\.example until 2033/,
    ]);
    await run(elsewhere, 'queue', 'hold', '1');
    await run(elsewhere, 'queue', 'retry', '1');
    assert.deepEqual(await examined(elsewhere), []);
  });

  it('what is left over in the spool', async () => {
    const dir = damaged((where) => {
      const left = join(where, 'data', 'spool', `${'ab'.repeat(16)}.spool`);
      writeFileSync(left, 'x');
      utimesSync(left, 1, 1);
      writeFileSync(join(where, 'data', 'spool', `${'cd'.repeat(16)}.spool`), 'a message just coming in');
      writeFileSync(join(where, 'data', 'spool', 'appunti.txt'), 'x');
    });
    const spool = join(dir, 'data', 'spool');
    matches(await examined(dir), [
      /^spool warning 1 files of messages that never came to an end/,
      /^spool warning not ours: appunti\.txt\. To mend: /,
    ]);
    await cleanSpool(spool);
    rmSync(join(spool, 'appunti.txt'));
    assert.deepEqual(await examined(dir), []);
  });
});

test('every rule has a test that breaks it', () => {
  // Their names come and go with src/storage/operations/inspection.ts: this list is the tests above.
  assert.deepEqual([...inspectionRules].sort(), [
    "another mailbox's message",
    'folder',
    'forgotten blob',
    'forgotten content',
    'half a deadline',
    'needless deadline',
    'no deadline',
    'outcome without receipt',
    'queue',
    'quota',
    'receipt without outcome',
    'reception',
    'size',
    'undated outcome',
    'unregistered message',
    'unregistered receipt',
    'untracked message',
  ]);
});
