import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { dayOf } from '../../src/registro/index.js';
import { recorder } from '../registro/synthetic.js';
import { openssl, scratch } from '../support/openssl.js';
import { needs } from '../support/programs.js';
import { runProgram } from '../support/run-program.js';
import { startTimestampAuthority, type TestAuthority } from '../support/timestamp-authority.js';
import { ceralacca } from './terminal.js';

const work = scratch();
const dir = work.path('alfa');
const registro = join(dir, 'data', 'registro');
const HOUR = 3_600_000;
const today = dayOf(Date.now());
const yesterday = dayOf(today.from - 1);
const eve = dayOf(yesterday.from - 1);
const HELD = 'opec.7@pec.alfa.example';

describe('ceralacca registro: seal, verify, export, hold', { skip: needs('openssl') }, () => {
  let authority: TestAuthority;
  let database: Database.Database;
  const run = (line: string, env: NodeJS.ProcessEnv = {}) =>
    ceralacca(line.split(' '), { env: { CERALACCA_CONFIG: join(dir, 'config', 'gestore.yaml'), ...env } });
  const good = async (line: string): Promise<string> => {
    const { code, out, err } = await run(line);
    assert.equal(code, 0, `${line}: ${out}${err}`);
    return out;
  };

  before(async () => {
    authority = await startTimestampAuthority();
    await good(`init --dir ${dir} --name Alfa --domain pec.alfa.example`);
    await good(`config set timestamp ${JSON.stringify({ url: authority.url, ca: authority.caFile })}`);
    database = new Database(join(dir, 'data', 'ceralacca.db'), { timeout: 30_000 });
    const record = recorder(database);
    record(eve.from + HOUR, [{}, { identificativo: HELD }]);
    record(yesterday.from + HOUR, [{}]);
  });
  after(async () => {
    database.close();
    await authority.close();
    work.remove();
  });

  it('seals what is over, then a part of what is open; a day that is not over is refused', async () => {
    const sealed = JSON.parse(await good(`registro seal --day ${eve.name} --json`));
    assert.deepEqual(
      sealed.map(({ day, entries, stamped }: Record<string, unknown>) => [day, entries, stamped]),
      [[eve.name, 2, true]],
    );
    assert.match(sealed[0].file, /\/data\/registro\/\d{4}\/\d\d\/\d\d\.jsonl\.p7m$/);
    const all = JSON.parse(await good('registro seal --json'));
    assert.deepEqual(
      all.map(({ day, part }: Record<string, unknown>) => [day, part]),
      [
        [yesterday.name, 0],
        [today.name, 1],
      ],
    );
    const again = JSON.parse(await good(`registro seal --day ${eve.name} --json`));
    assert.equal(again[0].root, sealed[0].root);
    assert.equal((await run(`registro seal --day ${today.name}`)).code, 1);
    assert.equal((await run('registro seal --day ieri')).code, 2);
  });

  it('verify holds; a day file, a row or a stamp that was changed makes it 1 and is named', async () => {
    assert.match(
      await good('registro verify'),
      /^untouched: .*\n\d+ acts of administrators\n2 days sealed \(0 deleted by their age\), 3 seals stamped\n$/,
    );
    const verdict = JSON.parse(await good('registro verify --json'));
    assert.deepEqual([verdict.days, verdict.fault], [2, null]);
    database.exec(`update registro set subject = 'Altro' where seq = 2`);
    const { code, out } = await run('registro verify');
    assert.equal(code, 1);
    assert.match(out, new RegExp(`^TOUCHED at lane 0, entry 2: .*\\nidentificativo ${HELD}\\n`));
    const deep = JSON.parse((await run('doctor --deep --json')).out);
    assert.equal(deep.find(({ check }: { check: string }) => check === 'registro').result, 'failed');
    database.exec(`update registro set subject = 'Prova, "con" virgole; e à' where seq = 2`);
    await good('registro verify');
  });

  it('export gives the file of a day, that openssl proves', async () => {
    const [{ file }] = JSON.parse(await good(`registro export --day ${eve.name} --json`));
    assert.equal(statSync(file).mode & 0o777, 0o400);
    const out = work.path('giorno');
    const copies: { file: string }[] = JSON.parse(
      await good(`registro export --day ${eve.name} --out ${out} --json`),
    );
    assert.deepEqual(
      copies.map((copy) => basename(copy.file)).sort(),
      ['csv', 'jsonl.p7m', 'jsonl.p7m.tsr', 'tsr'].map((end) => `${eve.name}.${end}`),
    );
    const signed = join(out, `${eve.name}.jsonl.p7m`);
    const ca = join(dir, 'certs', 'ca.pem');
    const verified = openssl('cms', '-verify', '-inform', 'DER', '-in', signed, '-CAfile', ca, '-binary');
    assert.ok(verified.ok, verified.stderr);
    assert.equal(JSON.parse(verified.stdout.toString().split('\n')[0] ?? '').day, eve.name);
    const stamp = ['-in', `${signed}.tsr`, '-data', signed, '-CAfile', authority.caFile];
    assert.ok(openssl('ts', '-verify', ...stamp).ok);
    // Of an open day, the last part.
    assert.match(await good(`registro export --day ${today.name}`), /-parte-1\.jsonl\.p7m/);
    assert.equal((await run('registro export --day 2020-01-01')).code, 1);
    assert.equal((await run('registro export')).code, 2);
  });

  it('a package of several days is whole: index, hashes, signature', { skip: needs('xmllint') }, async () => {
    const out = work.path('pacchetto');
    const period = `--from ${eve.name} --to ${yesterday.name}`;
    await good(`registro export ${period} --vat 01234567890 --out ${out}`);
    const index = join(out, 'PIndex.xml');
    await runProgram('xmllint', ['--noout', index]);
    const xml = readFileSync(index, 'utf8');
    for (const [, path = '', hash] of xml.matchAll(
      /<sincro:Path>(.*)<\/sincro:Path>\s*<sincro:Hash hashFunction="SHA-256">(\w+)</g,
    )) {
      const { createHash } = await import('node:crypto');
      assert.equal(
        createHash('sha256')
          .update(readFileSync(join(out, path)))
          .digest('hex'),
        hash,
      );
    }
    assert.equal([...xml.matchAll(/<sincro:File /g)].length, 8);
    const ca = join(dir, 'certs', 'ca.pem');
    const verified = openssl(
      'cms',
      '-verify',
      '-inform',
      'DER',
      '-in',
      `${index}.p7m`,
      '-CAfile',
      ca,
      '-binary',
    );
    assert.equal(verified.stdout.toString(), xml);
    assert.ok(readdirSync(out).includes('PIndex.xml.p7m.tsr'));
    assert.equal(
      (await run(`registro export ${period} --vat 01234567890 --out ${out}`)).code,
      1,
      'not empty',
    );
    const open = `--from ${eve.name} --to ${today.name} --vat 01234567890 --out ${work.path('altro')}`;
    assert.match((await run(`registro export ${open}`)).err, /is not sealed/);
  });

  it('holds are added, listed and removed', async () => {
    assert.match(await good(`registro hold add <${HELD}> --reason Procura`), /held, 1 entries/);
    assert.deepEqual(JSON.parse(await good('registro hold list --json'))[0].reason, 'Procura');
    assert.equal((await run(`registro hold add ${HELD}`)).code, 1);
    assert.match(await good(`registro hold remove ${HELD}`), /0 entries deleted/);
    assert.equal((await run(`registro hold remove ${HELD}`)).code, 1);
  });

  it('what administrators do is registered before it is done; what fails, with its reason', async () => {
    await good('domain add pec.uno.example');
    assert.equal((await run('domain remove pec.altro.example')).code, 1);
    await good('domain list');
    const acts: { action: string; target: string; actor: string; detail: Record<string, string> }[] =
      JSON.parse(await good('registro acts --json'));
    const mine = acts.slice(-3).map(({ action, target, detail }) => [action, target, Object.keys(detail)]);
    assert.deepEqual(mine, [
      ['domain add', 'pec.uno.example', []],
      ['domain remove', 'pec.altro.example', []],
      ['domain remove', 'pec.altro.example', ['fallito']],
    ]);
    assert.match(String(acts.at(-1)?.actor), /^[^@]+@[^@]+$/);
    const held = JSON.parse(await good('registro acts --action hold --json'));
    assert.deepEqual(held, []);
    database.exec(`update act set target = 'x' where seq = 1`);
    assert.match((await run('registro verify')).out, /^TOUCHED at act 1: /);
    database.exec(`update act set target = '${String(acts[0]?.target)}' where seq = 1`);
    await good('registro verify');
  });

  it('an authority that does not answer leaves the day sealed, says so and exits 1', async () => {
    authority.manner = { kind: 'answers', status: 503, body: Buffer.alloc(0) };
    const { code, err } = await run('registro seal');
    assert.equal(code, 1);
    assert.match(err, /no time stamp: .*HTTP 503/);
    authority.manner = { kind: 'stamps' };
    await good('registro seal');
    await good('registro verify');
    assert.ok(readdirSync(registro).length > 0);
  });
});
