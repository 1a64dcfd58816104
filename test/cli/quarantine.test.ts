import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { Quarantine, QuarantineKeys } from '../../src/antivirus/index.js';
import { loadConfig } from '../../src/config/index.js';
import { purgeQuarantine } from '../../src/gestore/background.js';
import { Rope } from '../../src/rope/index.js';
import { ChangeSet, openStore } from '../../src/storage/index.js';
import { EICAR } from '../support/eicar.js';
import { scratch } from '../support/openssl.js';
import { ceralacca } from './terminal.js';

const work = scratch();
after(() => work.remove());
const healthy = work.path('alfa');
const AT = Date.UTC(2026, 10, 22, 9, 30);
const small = Buffer.from(`Subject: x\r\n\r\n${EICAR}\r\n`);
const large = Buffer.concat([small, randomBytes(200_000)]);
/** Of the entries, the small message's first. */
const ids: string[] = [];

const known = {
  kind: 'submission',
  identificativo: 'id@pec.alfa.example',
  gestore: 'Alfa',
  sender: 'anna@pec.alfa.example',
  recipients: ['bruno@pec.beta.example'],
  subject: '\u001b[31mFattura',
  virus: 'Eicar',
  engine: 'ClamAV 1.4.1',
} as const;

const configOf = (dir: string) => loadConfig(join(dir, 'config', 'gestore.yaml'), {});

async function withQuarantine(
  dir: string,
  use: (store: Awaited<ReturnType<typeof openStore>>, quarantine: Quarantine) => Promise<void>,
): Promise<void> {
  const config = configOf(dir);
  const store = await openStore(config.storage);
  const keys = await QuarantineKeys.read(config.quarantine.key);
  await use(store, new Quarantine({ store, keys, spool: config.paths.spool })).finally(() => store.close());
}

before(async () => {
  const { code, err } = await ceralacca([
    'init',
    '--dir',
    healthy,
    '--name',
    'Alfa',
    '--domain',
    'pec.alfa.example',
  ]);
  assert.equal(code, 0, err);
  await withQuarantine(healthy, async (store, quarantine) => {
    for (const [index, message] of [small, large].entries()) {
      const changes = new ChangeSet((rope) => store.pack(rope));
      const about = { ...known, at: AT + index, identificativo: `id${index}@pec.alfa.example` };
      ids.push(await quarantine.add(Rope.of(message), about, changes));
      await store.write('commitRefusal', changes.changes());
    }
  });
});

/** A copy to damage. */
function copy(): string {
  const dir = work.path('copy');
  rmSync(dir, { recursive: true, force: true });
  cpSync(healthy, dir, { recursive: true });
  return dir;
}

const run = (dir: string, ...words: readonly string[]) =>
  ceralacca([...words, '-c', join(dir, 'config', 'gestore.yaml')]);

async function findings(dir: string, check: string): Promise<string[]> {
  const { out } = await run(dir, 'doctor', '--deep', '--json');
  const all = JSON.parse(out) as { check: string; result: string; note: string }[];
  return all.filter((one) => one.check === check).map(({ result, note }) => `${result} ${note}`);
}

const exported = async (dir: string): Promise<number> => {
  const { out } = await run(dir, 'registro', 'search', '--event', 'estrazione-quarantena', '--json');
  return (JSON.parse(out) as unknown[]).length;
};

describe('ceralacca quarantine', () => {
  it('lists by date and shows, without what a terminal would obey', async () => {
    const { out } = await run(healthy, 'quarantine', 'list');
    for (const id of ids) assert.ok(out.includes(id));
    const listed = async (...dates: string[]) =>
      (
        JSON.parse((await run(healthy, 'quarantine', 'list', '--json', ...dates)).out) as { id: string }[]
      ).map(({ id }) => id);
    assert.deepEqual(await listed('--from', '2026-11-22', '--to', '2026-11-22'), ids);
    assert.deepEqual(await listed('--from', '2026-11-23'), []);
    assert.equal((await run(healthy, 'quarantine', 'list', '--from', 'ieri')).code, 2);
    const shown = (await run(healthy, 'quarantine', 'show', ids[0] ?? '')).out;
    assert.ok(shown.includes('Fattura') && !shown.includes('\u001b'));
    assert.match((await run(healthy, 'quarantine', 'show', 'x')).err, /x is not in the quarantine/);
  });

  it('what lies on the disk is no virus; what comes out is the message, and the register says so', async () => {
    const dir = copy();
    const files = readdirSync(join(dir, 'data'), { recursive: true, withFileTypes: true });
    for (const file of files.filter((one) => one.isFile()))
      assert.ok(!readFileSync(join(file.parentPath, file.name)).includes(EICAR), file.name);
    for (const [index, message] of [small, large].entries()) {
      const out = join(dir, `${index}.eml`);
      const { code, err } = await run(dir, 'quarantine', 'export', ids[index] ?? '', '--out', out);
      assert.equal(code, 0, err);
      assert.ok(readFileSync(out).equals(message));
      assert.equal(await exported(dir), index + 1);
    }
    assert.deepEqual(await findings(dir, 'quarantine'), [
      'ok 2 messages, a key for each',
      'ok 2 messages open, each the one of its entry',
    ]);
  });

  it('without its key nothing comes out, the doctor names the key; with it back, everything does', async () => {
    const dir = copy();
    const { key } = configOf(dir).quarantine;
    const old = readFileSync(key, 'utf8');
    writeFileSync(key, `${randomBytes(32).toString('base64')}\n`);
    const out = join(dir, 'x.eml');
    const { code, err } = await run(dir, 'quarantine', 'export', ids[0] ?? '', '--out', out);
    assert.equal(code, 1);
    assert.match(err, /lies under the key [0-9a-f]{16}, which is not in/);
    assert.deepEqual([existsSync(out), await exported(dir)], [false, 0]);
    const [keys, messages] = await findings(dir, 'quarantine');
    assert.match(keys ?? '', /^failed keys are missing: [0-9a-f]{16} \(2 messages\)/);
    assert.match(messages ?? '', /^failed they do not open/);
    // The new key seals, the old one below still opens.
    writeFileSync(key, `${readFileSync(key, 'utf8')}${old}`);
    assert.deepEqual(
      (await findings(dir, 'quarantine')).map((one) => one.slice(0, 2)),
      ['ok', 'ok'],
    );
    chmodSync(key, 0o644);
    assert.ok(
      (await findings(dir, 'secrets')).some((one) => /^failed .*quarantine\.key: mode 0644/.test(one)),
    );
  });

  it('a ciphertext that changed, or that is another entry\u2019s, does not come out', async () => {
    const dir = copy();
    const db = new Database(
      configOf(dir).storage.database.engine === 'sqlite' ? join(dir, 'data', 'ceralacca.db') : '',
    );
    db.prepare('update quarantine set content_id = (select max(content_id) from quarantine)').run();
    db.close();
    const out = join(dir, 'x.eml');
    const { code, err } = await run(dir, 'quarantine', 'export', ids[0] ?? '', '--out', out);
    assert.equal(code, 1);
    assert.match(err, /not the bytes that were sealed/);
    assert.ok(!existsSync(out), 'half a message is not left there');
    assert.match((await findings(dir, 'quarantine')).at(-1) ?? '', /^failed they do not open: /);
  });

  it('a gestore of before, without a key, is well; the server makes one', async () => {
    const dir = work.path('old');
    await ceralacca(['init', '--dir', dir, '--name', 'Alfa', '--domain', 'pec.alfa.example']);
    rmSync(configOf(dir).quarantine.key);
    assert.match(
      (await findings(dir, 'quarantine')).join(),
      /^ok empty; its key is made at the first start$/,
    );
  });

  it('what is past its time goes, page after page, and its bytes with the next sweep', async () => {
    const dir = copy();
    await withQuarantine(dir, async (store, quarantine) => {
      for (let index = 0; index < 120; index += 1) {
        const changes = new ChangeSet((rope) => store.pack(rope));
        await quarantine.add(Rope.of(small), { ...known, at: AT - 1 }, changes);
        await store.write('commitRefusal', changes.changes());
      }
      await purgeQuarantine(store, AT);
      const left = await store.read('listQuarantine', { limit: 1000 });
      assert.deepEqual(
        left.map(({ id }) => id),
        ids,
      );
      const { contents } = await store.sweep({ now: Date.now() });
      assert.equal(contents, 120);
    });
    assert.deepEqual(
      (await findings(dir, 'quarantine')).map((one) => one.slice(0, 2)),
      ['ok', 'ok'],
    );
  });
});
