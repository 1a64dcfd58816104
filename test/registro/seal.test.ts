import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before as beforeAll, describe, it } from 'node:test';
import { headLeaf, merkleRoot } from '../../src/ledger/index.js';
import { dayNamed, dayOf, RegisterTouched } from '../../src/registro/index.js';
import { closeWhole, nextOpenDay } from '../../src/registro/seal/close.js';
import { writeDayFiles } from '../../src/registro/seal/day-file.js';
import { pathsOf } from '../../src/registro/seal/paths.js';
import { stampDay } from '../../src/registro/seal/stamp.js';
import { openssl } from '../support/openssl.js';
import { needs } from '../support/programs.js';
import { startTimestampAuthority, type TestAuthority } from '../support/timestamp-authority.js';
import { type SealedRegister, sealedRegister } from './sealing.js';

const at = (text: string): number => Date.parse(text);
const HOUR = 3_600_000;
const NOW = Date.now();

/** The name of the day so many days before today. */
function before(days: number): string {
  let day = dayOf(NOW);
  for (let more = days; more > 0; more -= 1) day = dayOf(day.from - 1);
  return day.name;
}
const [D0, D1, D2, D3] = [before(4), before(3), before(2), before(1)];
const startOf = (name: string): number => dayNamed(name)?.from ?? 0;

describe('registro: days are those of Italy', () => {
  it('a day begins at midnight there and has 23, 24 or 25 hours', () => {
    assert.equal(dayOf(at('2026-11-21T23:00:00Z')).name, '2026-11-22');
    assert.equal(dayOf(at('2026-11-21T22:59:59.999Z')).name, '2026-11-21');
    const hours = (name: string) => ((dayNamed(name)?.to ?? 0) - (dayNamed(name)?.from ?? 0)) / 3_600_000;
    assert.deepEqual(['2026-03-29', '2026-11-22', '2026-10-25'].map(hours), [23, 24, 25]);
    assert.deepEqual(['2026-02-30', '22', '2026-11-22T10:00'].map(dayNamed), [
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('registro: the daily seal', { skip: needs('openssl') }, () => {
  let authority: TestAuthority;
  let second: TestAuthority;
  const open: SealedRegister[] = [];
  beforeAll(async () => {
    authority = await startTimestampAuthority();
    second = await startTimestampAuthority();
  });
  after(async () => {
    for (const register of open) await register.remove();
    await authority.close();
    await second.close();
  });

  async function filled(clock: () => number = () => NOW, stamped = true): Promise<SealedRegister> {
    const register = await sealedRegister(stamped ? [authority, second] : [], clock);
    open.push(register);
    register.record(startOf(D0) + 10 * HOUR, [{}, { subject: '=1+1\r\nriga' }, { subject: '\ud800' }]);
    // Still the day before in UTC.
    register.record(startOf(D1) + HOUR / 2, [{}, {}]);
    register.record(startOf(D3) + 11 * HOUR, [{ identificativo: 'opec.9@pec.alfa.example' }]);
    return register;
  }

  it('seals each day that is over, empty ones too, by the root its entries have', async () => {
    const register = await filled();
    const { closed, unstamped } = await register.sealer.sealDue();
    assert.equal(unstamped, null);
    const days = closed.slice(0, 4);
    assert.deepEqual(
      days.map(({ day, entries }) => [day, entries]),
      [
        [D0, 3],
        [D1, 2],
        [D2, 0],
        [D3, 1],
      ],
    );
    const rows = await register.store.read('pageRegister', { limit: 100 });
    for (const seal of days) {
      const own = rows.filter(({ recordedAt }) => dayOf(recordedAt).name === seal.day);
      const [lane] = seal.lanes;
      assert.ok(lane);
      const head = headLeaf(seal.day, { lane: 0, seq: lane.last, link: Buffer.from(lane.after, 'hex') });
      assert.deepEqual(Buffer.from(seal.root), merkleRoot([...own.map(({ leaf }) => leaf), head]));
    }
    assert.equal(new Set(closed.map(({ root }) => Buffer.from(root).toString('hex'))).size, closed.length);
    assert.deepEqual(await register.verify(), { reason: null, seq: undefined, warnings: lateOf(closed) });
    // Again: nothing is left to do, nothing is sealed twice.
    assert.deepEqual(await register.sealer.sealDue(), { closed: [], completed: [], unstamped: null });
  });

  it('file and stamps are proved by openssl, the table is harmless, all are read-only', async () => {
    const register = await filled();
    await register.sealer.sealDue();
    const paths = pathsOf(register.files, { day: D0, part: 0 });
    const ca = join(register.folder, 'ca.pem');
    await writeFile(ca, register.pki.authority.certificatePem);
    const content = openssl('cms', '-verify', '-inform', 'DER', '-in', paths.file, '-CAfile', ca, '-binary');
    assert.ok(content.ok, content.stderr);
    const [head = '', ...lines] = content.stdout.toString().trimEnd().split('\n');
    const { root, entries, day } = JSON.parse(head);
    assert.deepEqual([entries, day, lines.length], [3, D0, 3]);
    const stamped = (file: string, ...over: string[]) =>
      openssl('ts', '-verify', '-in', file, ...over, '-CAfile', authority.caFile).ok;
    assert.ok(stamped(paths.rootStamp, '-digest', root));
    assert.ok(stamped(paths.fileStamp, '-data', paths.file));
    assert.ok(!stamped(paths.fileStamp, '-digest', root));
    const csv = await readFile(paths.csv, 'utf8');
    assert.match(csv, /^\ufeffora,evento,/);
    assert.match(csv, new RegExp(`${D0}T10:00:00\\.000\\+0[12]:00,accettazione`));
    assert.ok(csv.includes(`"'=1+1\r\nriga"`));
    for (const file of [paths.file, paths.csv, paths.rootStamp, paths.fileStamp])
      assert.equal((await stat(file)).mode & 0o777, 0o400);
    assert.ok((await readdir(paths.folder)).every((name) => !name.endsWith('.tmp')));
  });

  it('a part of an open day is sealed, and the day as a whole later', async () => {
    let now = NOW;
    const register = await filled(() => now, false);
    const { closed } = await register.sealer.sealOpen();
    assert.deepEqual(
      closed.map(({ day, part }) => [day, part]),
      [
        [D0, 0],
        [D1, 0],
        [D2, 0],
        [D3, 0],
        [dayOf(NOW).name, 1],
      ],
    );
    assert.ok((await stat(pathsOf(register.files, { day: dayOf(NOW).name, part: 1 }).file)).size > 0);
    now = dayOf(NOW).to + 1000;
    await register.sealer.sealDue();
    assert.equal((await register.verify()).reason, null);
  });

  it('without an authority days are sealed, loudly; with one that fails an alarm stands until the stamp is there', async () => {
    const register = await filled();
    const refuses = { kind: 'answers', status: 500, body: Buffer.alloc(0) } as const;
    authority.manner = refuses;
    await register.sealer.sealDue();
    assert.ok(second.asked > 0, 'the second authority was asked');
    assert.deepEqual(register.telemetry.standing(), []);
    second.manner = refuses;
    const late = await filled();
    const { unstamped } = await late.sealer.sealDue();
    assert.ok(unstamped?.startsWith(D0) && unstamped.includes('HTTP 500'));
    assert.deepEqual(
      late.telemetry.standing().map(({ name }) => name),
      ['seal-unstamped'],
    );
    assert.match((await late.verify()).warnings.join(), /without a time stamp/);
    authority.manner = { kind: 'stamps' };
    second.manner = { kind: 'stamps' };
    assert.equal((await late.sealer.sealDue()).unstamped, null);
    assert.deepEqual(late.telemetry.standing(), []);
    assert.equal((await late.verify()).reason, null);
    const bare = await sealedRegister();
    open.push(bare);
    bare.record(startOf(D0) + 10 * HOUR, [{}]);
    await bare.sealer.sealDue();
    const warned = bare.telemetry.recorded.filter(({ name }) => name === 'server.warning');
    assert.match(JSON.stringify(warned), /without a time stamp/);
  });

  it('a run takes up what a crash left between row, file and stamp, and no day gets another root', async () => {
    const register = await filled();
    const day = await nextOpenDay(register.parts);
    assert.ok(day);
    const closed = await closeWhole(register.parts, day);
    const again = await closeWhole(register.parts, day);
    assert.deepEqual(Buffer.from(again.root), Buffer.from(closed.root));
    // The file was written and its hash was not kept.
    const forgotten = {
      ...register.parts,
      store: { ...register.store, read: register.store.read.bind(register.store), write: async () => closed },
    };
    await writeDayFiles(forgotten as never, closed);
    const paths = pathsOf(register.files, closed);
    const bytes = await readFile(paths.file);
    // Nor was the stamp.
    const token = { store: { write: async () => closed }, folder: register.files, authorities: [authority] };
    await stampDay(token as never, closed);
    const stamp = await readFile(paths.rootStamp);
    await writeFile(join(paths.folder, '.0123456789abcdef.tmp'), 'left');
    await register.sealer.sealDue();
    assert.deepEqual(await readFile(paths.file), bytes);
    assert.deepEqual(await readFile(paths.rootStamp), stamp);
    const seal = await register.store.read('findSeal', { day: closed.day, part: 0 });
    assert.deepEqual(Buffer.from(seal?.root ?? []), Buffer.from(closed.root));
    assert.equal(seal?.fileHash, createHash('sha256').update(bytes).digest('hex'));
    assert.equal((await register.verify()).reason, null);
  });

  it('two runs at once seal each day once', async () => {
    const register = await filled();
    await Promise.allSettled([register.sealer.sealDue(), register.sealer.sealDue()]);
    await register.sealer.sealDue();
    assert.equal((await register.verify()).reason, null);
  });

  it('what is recorded after a day was sealed never enters it, whatever the clock says', async () => {
    const register = await filled(() => NOW, false);
    const tomorrow = dayOf(Date.now()).to;
    const ahead = { ...register.parts, clock: () => tomorrow + 1000 };
    for (let day = await nextOpenDay(ahead); day !== undefined; day = await nextOpenDay(ahead))
      await closeWhole(ahead, day);
    // The clock was a day ahead; it is right again now.
    await register.store.write('recordClock', {
      identificativo: '',
      at: 0,
      event: 'orologio',
      sender: '',
      recipients: [],
      subject: '',
      related: [],
      gestore: '',
      detail: {},
    });
    const [last] = (await register.store.read('pageRegister', { limit: 1000 })).slice(-1);
    assert.ok((last?.recordedAt ?? 0) >= tomorrow);
    await register.sealer.complete();
    assert.equal((await register.verify()).reason, null);
  });

  it('a register that was touched is not sealed: an alarm names the entry', async () => {
    const register = await filled();
    register.tamper((db) => db.exec(`update registro set subject = 'altro' where seq = 5`));
    await assert.rejects(register.sealer.sealDue(), RegisterTouched);
    assert.deepEqual(
      register.telemetry.standing().map(({ name, reason }) => [name, reason.slice(0, 15)]),
      [['registro-touched', 'lane 0, entry 5']],
    );
    assert.equal((await register.store.read('lastSealedDay', {}))?.day, D0);
  });

  it('verify finds each change of rows, seals, files and stamps', async () => {
    const register = await filled();
    await register.sealer.sealDue();
    assert.equal((await register.verify()).reason, null);
    const first = pathsOf(register.files, { day: D0, part: 0 });
    const next = pathsOf(register.files, { day: D1, part: 0 });
    const put = async (path: string, bytes: Buffer) => {
      await chmod(path, 0o600);
      await writeFile(path, bytes);
    };
    const withFile = async (path: string, bytes: Buffer, expected: RegExp) => {
      const genuine = await readFile(path);
      await put(path, bytes);
      assert.match((await register.verify()).reason ?? 'fits', expected, path);
      await put(path, genuine);
    };
    await withFile(first.file, await readFile(next.file), /does not say what the register says/);
    const changed = await readFile(first.file);
    changed[changed.indexOf('opec.1')] = 0x41;
    await withFile(first.file, changed, /22|modificato|firma/);
    await withFile(first.csv, Buffer.from('ora\r\n'), /not the one that was sealed/);
    await withFile(first.rootStamp, await readFile(next.rootStamp), /not the time stamp that was given/);
    await rm(first.file);
    assert.match((await register.verify()).reason ?? '', /file is missing/);
    await register.remove();
    open.splice(open.indexOf(register), 1);
  });

  it('verify finds a re-dated stamp, a changed root, a gap, a lost seal and a lost end', async () => {
    const register = await filled();
    await register.sealer.sealDue();
    const sabotage = async (sql: string, expected: RegExp) => {
      const copy = join(register.folder, 'saved');
      await mkdir(copy, { recursive: true });
      register.tamper((db) => db.exec(`create table saved as select * from day_seal`));
      register.tamper((db) => db.exec(sql));
      const { reason } = await register.verify();
      register.tamper((db) =>
        db.exec('delete from day_seal; insert into day_seal select * from saved; drop table saved'),
      );
      assert.match(reason ?? 'fits', expected, sql);
      assert.equal((await register.verify()).reason, null);
    };
    const day = `part = 0 and day = '${D1}'`;
    await sabotage(`delete from day_seal where ${day}`, /days are missing from/);
    await sabotage(`delete from day_seal where day >= '${D2}'`, /seal of the day is missing/);
    await sabotage(`update day_seal set root = zeroblob(32) where ${day}`, /root is not the one/);
    await sabotage(`update day_seal set entries = 9 where ${day}`, /number of entries/);
    await sabotage(`update day_seal set recorded_to = recorded_to + 1 where ${day}`, /other hours/);
    await sabotage(
      `update day_seal set lanes = replace(lanes, '"first":4', '"first":3') where ${day}`,
      /does not go on/,
    );
    // A genuine stamp of another day, in the row and in the file.
    const [from, to] = [D0, D1].map((name) => pathsOf(register.files, { day: name, part: 0 }));
    assert.ok(from && to);
    const genuine = await readFile(to.rootStamp);
    await chmod(to.rootStamp, 0o600);
    await copyFile(from.rootStamp, to.rootStamp);
    await sabotageStamp(register, to.rootStamp, genuine);
    register.tamper((db) => db.exec('delete from registro where seq = (select max(seq) from registro)'));
    assert.equal((await register.verify()).reason, null, 'an open end cannot be seen from inside');
    register.tamper((db) => db.exec('delete from registro where seq > 5'));
    assert.match((await register.verify()).reason ?? '', /missing/);
  });

  it('a chain rewritten from an entry on is found by the root, and the file names the entry', async () => {
    const { linkEntries } = await import('../../src/storage/register.js');
    const register = await filled();
    await register.sealer.sealDue();
    const rows = await register.store.read('pageRegister', { limit: 1000 });
    const [before] = rows;
    assert.ok(before);
    register.tamper((db) => {
      let head = before;
      for (const row of rows.slice(1)) {
        const event = row.seq === 2 ? { ...row, subject: 'Riscritto' } : row;
        const [forged] = linkEntries(0, head, [event], row.recordedAt, () => row.salt);
        assert.ok(forged);
        db.prepare('update registro set subject = ?, leaf = ?, link = ? where seq = ?').run(
          forged.subject,
          forged.leaf,
          forged.link,
          row.seq,
        );
        head = { ...row, link: Buffer.from(forged.link) };
      }
      const lanes = db.prepare<[], { day: string; lanes: string }>('select day, lanes from day_seal').all();
      const link = new Map(db.prepare<[], [number, Buffer]>('select seq, link from registro').raw().all());
      for (const { day, lanes: text } of lanes) {
        const forged = JSON.parse(text).map((lane: { first: number; last: number }) => ({
          ...lane,
          before: lane.first === 1 ? '00'.repeat(32) : link.get(lane.first - 1)?.toString('hex'),
          after: link.get(lane.last)?.toString('hex'),
        }));
        db.prepare('update day_seal set lanes = ? where day = ?').run(JSON.stringify(forged), day);
      }
    });
    const { reason, seq } = await register.verify();
    assert.match(reason ?? '', /root of the day does not fit/);
    assert.ok(seq === undefined || seq === 2);
  });
});

const lateOf = (closed: readonly { day: string; recordedTo: number }[]): string[] =>
  closed
    .filter(({ recordedTo }) => recordedTo + 24 * 3_600_000 < Date.now())
    .flatMap(({ day }) =>
      [1, 2].map(() => `${day}: marcato dopo più di un giorno / stamped after more than a day`),
    );

async function sabotageStamp(register: SealedRegister, path: string, genuine: Buffer): Promise<void> {
  register.tamper((db) =>
    db.exec(
      `update day_seal set root_token = (select root_token from day_seal where day = '${D0}' and part = 0) where day = '${D1}'`,
    ),
  );
  assert.match((await register.verify()).reason ?? 'fits', /over something else/);
  register.tamper((db) => db.prepare(`update day_seal set root_token = ? where day = '${D1}'`).run(genuine));
  await writeFile(path, genuine);
  assert.equal((await register.verify()).reason, null);
}
