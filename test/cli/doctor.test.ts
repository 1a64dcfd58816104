import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { loadConfig } from '../../src/config/index.js';
import { Rope } from '../../src/rope/index.js';
import { openStore, type Store } from '../../src/storage/index.js';
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

/** What the doctor says against a copy of the gestore in which something was changed. */
async function complaints(change: (dir: string) => void): Promise<string[]> {
  const dir = work.path('sick');
  rmSync(dir, { recursive: true, force: true });
  cpSync(healthy, dir, { recursive: true });
  change(dir);
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

const sql = (...statements: readonly string[]) => {
  return (dir: string): void => {
    const db = new Database(join(dir, 'data', 'ceralacca.db'));
    db.pragma('foreign_keys = OFF');
    for (const one of statements) db.exec(one);
    db.close();
  };
};

async function told(change: (dir: string) => void, ...patterns: readonly RegExp[]): Promise<void> {
  const found = await complaints(change);
  assert.equal(found.length, patterns.length, found.join('\n'));
  for (const [index, pattern] of patterns.entries()) assert.match(found[index] ?? '', pattern);
}

describe('doctor --deep', () => {
  it('has nothing to say where everything fits', () => told(() => undefined));

  it('a quota that counts wrong', () =>
    told(
      sql('update mailbox set used = used + 1 where used > 0'),
      /^quotas failed .*mario\.rossi.*update mailbox/,
    ));

  it('a folder that would give a number out twice', () =>
    told(sql('update folder set uid_next = 1'), /^folders failed .*mario\.rossi@pec\.alfa\.example INBOX/));

  it('a row that quotes another size', () =>
    told(sql('update queue set size = size + 1'), /^contents failed .*queue row 1/));

  it('contents and blobs that nothing names', () =>
    told(
      sql(
        "insert into content (size, layout, text) values (0, '[]', x'')",
        `insert into blob (hash, size, bytes) values ('${createHash('sha256').digest('hex')}', 0, x'')`,
      ),
      /^contents warning /,
      /^blobs warning /,
    ));

  it('a content that cannot be put together', () =>
    told(
      sql(`update content set layout = '[{"text":[0,5000]}]' where id = 2`),
      /^contents failed they cannot be put together: content 2/,
    ));

  it('a blob with other bytes, and one that is missing', async () => {
    await told(
      (dir) => writeFileSync(join(dir, blobFile), Buffer.alloc(large.length)),
      new RegExp(`^blobs failed ${hash}: its bytes are other ones`),
      /^blobs failed To mend: /,
    );
    await told(
      (dir) => rmSync(join(dir, blobFile)),
      new RegExp(`^blobs failed ${hash}: .*ENOENT`),
      /^blobs failed To mend: /,
    );
  });

  it('references that lead nowhere', () =>
    told(sql('delete from mailbox where used > 0'), /^database failed /));

  it('tracking that disagrees with itself or with the receipts', async () => {
    await told(sql('update tracking set next_step = null, next_notice_at = 5'), /^tracking failed deadlines/);
    await told(
      sql("update receipt set kind = 'preavviso-errore-consegna' where direction = 'received'"),
      /^tracking failed an outcome is recorded, its receipt is not kept: .*Anna/,
    );
    await told(
      sql("update tracking set outcome = null, outcome_at = null where kind = 'certificato'"),
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

  it('a queue row that is neither free nor leased', () =>
    told(sql("update queue set state = 'leased'"), /^queue failed .*queue row 1/));
});
