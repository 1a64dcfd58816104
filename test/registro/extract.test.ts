import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { dayOf, ExtractError, purgeDays, writeExtract } from '../../src/registro/index.js';
import { openssl, scratch } from '../support/openssl.js';
import { needs } from '../support/programs.js';
import { runProgram } from '../support/run-program.js';
import { startTimestampAuthority, type TestAuthority } from '../support/timestamp-authority.js';
import { type SealedRegister, sealedRegister } from './sealing.js';

const sha256 = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();

const ASKED = 'opec.7@pec.alfa.example';
const HOUR = 3_600_000;
const today = dayOf(Date.now());
const yesterday = dayOf(today.from - 1);
const work = scratch();
let made = 0;

const of = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}(?: [^>]*)?>([^<]*)</${name}>`, 'g'))].map(([, text = '']) => text);
const attribute = (xml: string, name: string): string =>
  new RegExp(` ${name}="([^"]*)"`).exec(xml)?.[1] ?? '';

describe('an extract of the register', { skip: needs('openssl') || needs('xmllint') }, () => {
  let authority: TestAuthority;
  let register: SealedRegister;
  const ca = work.path('ca.pem');

  before(async () => {
    authority = await startTimestampAuthority();
    register = await sealedRegister([authority]);
    writeFileSync(ca, register.pki.authority.certificatePem);
    const others = Array.from({ length: 20 }, (_, at) => ({
      identificativo: `opec.9${at}@pec.alfa.example`,
    }));
    register.record(yesterday.from + HOUR, others);
    register.record(yesterday.from + 2 * HOUR, [
      {
        identificativo: ASKED,
        recipients: ['bruno@pec.beta.example', 'carla@pec.beta.example'],
        subject: 'Recesso <à> & "b"',
      },
      { identificativo: ASKED, event: 'avvenuta-consegna', recipients: ['bruno@pec.beta.example'] },
      {
        identificativo: ASKED,
        event: 'errore-consegna',
        recipients: ['carla@pec.beta.example'],
        detail: { errore: 'no-dest' },
      },
    ]);
    register.record(yesterday.from + 3 * HOUR, others);
    await register.sealer.sealDue();
    register.record(today.from, [{ identificativo: ASKED, event: 'preavviso-errore-consegna' }]);
  });
  after(async () => {
    await register.remove();
    await authority.close();
    work.remove();
  });

  /** The signed document that openssl takes out of the file. */
  const extract = async (recipient?: string): Promise<{ xml: string; entries: number; proved: number }> => {
    made += 1;
    const out = work.path(`estratto-${made}`);
    const { signer } = register.parts;
    const parts = { store: register.store, signer, gestore: 'Alfa PEC S.p.A.', clock: Date.now };
    const question = {
      identificativo: ASKED,
      recipient,
      requestedBy: 'rossi@nodo1',
      reason: 'avv. Bianchi, 12/26',
    };
    const { files, entries, proved } = await writeExtract(parts, question, out);
    const [file = ''] = files;
    const opened = openssl('cms', '-verify', '-inform', 'DER', '-in', file, '-CAfile', ca, '-binary');
    assert.ok(opened.ok, opened.stderr);
    writeFileSync(`${out}.xml`, opened.stdout);
    await runProgram('xmllint', ['--noout', `${out}.xml`]);
    return { xml: opened.stdout.toString('utf8'), entries, proved };
  };

  it('says who asked and why, that it is no receipt, and everything that is registered', async () => {
    const { xml, entries, proved } = await extract();
    assert.deepEqual([entries, proved], [4, 3]);
    assert.deepEqual(of(xml, 'richiedente'), ['rossi@nodo1']);
    assert.deepEqual(of(xml, 'motivo'), ['avv. Bianchi, 12/26']);
    assert.match(of(xml, 'avvertenza').join('\n'), /non è una ricevuta/);
    assert.match(of(xml, 'avvertenza').join('\n'), /non ancora sigillato/);
    assert.deepEqual(of(xml, 'evento'), [
      'accettazione',
      'avvenuta-consegna',
      'errore-consegna',
      'preavviso-errore-consegna',
    ]);
    assert.equal(of(xml, 'oggetto')[0], 'Recesso &lt;à&gt; &amp; &quot;b&quot;');
  });

  it('is proved without Ceralacca: leaf, path to the root, time stamp of the root', async () => {
    const { xml } = await extract();
    const [seal = ''] = /<sigillo [\s\S]*?<\/sigillo>/.exec(xml) ?? [];
    const [root = ''] = of(seal, 'radice');
    const token = work.path('marca.tsr');
    writeFileSync(token, Buffer.from(of(seal, 'marca')[0] ?? '', 'base64'));
    const stamped = openssl('ts', '-verify', '-digest', root, '-in', token, '-CAfile', authority.caFile);
    assert.ok(stamped.ok, stamped.stderr);
    const entries = [...xml.matchAll(/<riga [\s\S]*?<\/riga>/g)].map(([entry]) => entry);
    for (const entry of entries.slice(0, 3)) {
      const content = Buffer.from(of(entry, 'contenuto')[0] ?? '', 'base64');
      let hash = sha256(Buffer.of(0), Buffer.from(of(entry, 'sale')[0] ?? '', 'hex'), content);
      assert.equal(hash.toString('hex'), of(entry, 'foglia')[0]);
      const fields: unknown[] = JSON.parse(content.toString('utf8'));
      assert.equal(fields[4], ASKED);
      assert.equal(fields[6], of(entry, 'evento')[0]);
      const proof = /<prova [\s\S]*?<\/prova>/.exec(entry)?.[0] ?? '';
      assert.equal(attribute(proof, 'sigillo'), attribute(seal, 'id'));
      let at = Number(attribute(proof, 'posizione'));
      let last = Number(attribute(proof, 'foglie')) - 1;
      for (const sibling of of(proof, 'hash').map((text) => Buffer.from(text, 'hex'))) {
        if (at % 2 === 1 || at === last) {
          hash = sha256(Buffer.of(1), sibling, hash);
          while (at % 2 === 0 && at !== 0) {
            at >>= 1;
            last >>= 1;
          }
        } else hash = sha256(Buffer.of(1), hash, sibling);
        at >>= 1;
        last >>= 1;
      }
      assert.equal(last, 0);
      assert.equal(hash.toString('hex'), root);
    }
  });

  it('may be about one recipient only', async () => {
    const { xml } = await extract('CARLA@pec.beta.example');
    assert.deepEqual(of(xml, 'evento'), ['accettazione', 'errore-consegna']);
  });

  it('replaces no file, and is refused where nothing is registered', async () => {
    const { signer } = register.parts;
    const parts = { store: register.store, signer, gestore: 'Alfa', clock: Date.now };
    const question = { identificativo: ASKED, recipient: undefined, requestedBy: 'rossi@nodo1', reason: '' };
    writeFileSync(work.path('preso.xml.p7m'), 'other');
    await assert.rejects(writeExtract(parts, question, work.path('preso')), { code: 'EEXIST' });
    assert.equal(readFileSync(work.path('preso.xml.p7m'), 'utf8'), 'other');
    await assert.rejects(
      writeExtract(parts, { ...question, identificativo: 'opec.0@pec.alfa.example' }, work.path('niente')),
      ExtractError,
    );
    await assert.rejects(
      writeExtract(parts, { ...question, recipient: 'x@y.example' }, work.path('niente')),
      ExtractError,
    );
    assert.ok(!existsSync(work.path('niente.xml.p7m')));
  });

  it('attests nothing of a register that was touched', async () => {
    const change = (subject: string) =>
      register.tamper((database) =>
        database.prepare('update registro set subject = ? where seq = 3').run(subject),
      );
    change('Altro');
    await assert.rejects(extract(), /il contenuto è stato modificato/);
    change('Prova, "con" virgole; e à');
    const root = (bytes: Buffer) =>
      register.tamper((database) => database.prepare('update day_seal set root = ?').run(bytes));
    const kept = await register.store.read('findSeal', { day: yesterday.name, part: 0 });
    root(Buffer.alloc(32));
    await assert.rejects(extract(), /la radice del giorno non corrisponde/);
    root(Buffer.from(kept?.root ?? []));
    await extract();
  });

  it('goes on proving what a legal hold keeps, once the day is deleted', async () => {
    await register.store.write('addHold', { identificativo: ASKED, reason: 'Procura', now: Date.now() });
    const { telemetry, store, files } = register;
    await purgeDays({ store, folder: files, telemetry }, today.from);
    assert.ok(
      !existsSync(
        join(files, yesterday.name.slice(0, 4), yesterday.name.slice(5, 7), `${yesterday.name.slice(8)}.csv`),
      ),
    );
    assert.equal((await extract()).proved, 3);
  });
});
