import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Header } from '../../src/mime/index.js';
import { type FormalInput, formalFaults } from '../../src/pec/formal-checks.js';
import { headerOf, replaced } from './checking-support.js';

const MB = 1024 * 1024;
const LIMITS = { recipients: 50, sizeTimesRecipients: 30 * MB, messageSize: 30 * MB };
const GOOD = [
  'From: Mario Rossi <mario@pec.alfa.example>',
  'To: anna@pec.beta.example, "Luca, da Roma" <luca@pec.beta.example>',
  'Cc: studio@mail.example',
  'Subject: prova',
];

const faults = async (lines: readonly string[], changes: Partial<FormalInput> = {}): Promise<string[]> =>
  formalFaults({
    header: await headerOf(...lines),
    mailFrom: 'mario@pec.alfa.example',
    recipients: ['anna@pec.beta.example', 'luca@pec.beta.example', 'studio@mail.example'],
    size: 1000,
    longestLine: 100,
    limits: LIMITS,
    ...changes,
  });

describe('formal checks of the access point', () => {
  test('decisions 13: a sound message has no fault', async () => {
    assert.deepEqual(await faults(GOOD), []);
  });

  test('decisions 13: Bcc with a value', async () => {
    const reason = 'il campo Bcc contiene un valore: i destinatari in copia nascosta non sono ammessi';
    assert.deepEqual(await faults([...GOOD, 'Bcc: altro@mail.example']), [reason]);
    assert.deepEqual(await faults([...GOOD, 'Bcc: nascosti:;']), [reason]);
    assert.deepEqual(await faults([...GOOD, 'Bcc:', 'bCC: altro@mail.example']), [reason]);
  });

  test('decisions 13: an empty Bcc passes', async () => {
    assert.deepEqual(await faults([...GOOD, 'Bcc:']), []);
    assert.deepEqual(await faults([...GOOD, 'Bcc: \r\n ']), []);
  });

  test('decisions 13: From differing from MAIL FROM', async () => {
    assert.deepEqual(await faults(replaced(GOOD, 'From', 'From: luigi@pec.alfa.example')), [
      "l'indirizzo luigi@pec.alfa.example nel campo From non coincide con il mittente mario@pec.alfa.example",
    ]);
  });

  test('decisions 13: From equals MAIL FROM without regard to ASCII case', async () => {
    assert.deepEqual(await faults(GOOD, { mailFrom: 'MARIO@PEC.Alfa.Example' }), []);
    const kelvin = await faults(GOOD, { mailFrom: 'mario@pec.alfa.example'.replace('x', '\u{1d54f}') });
    assert.equal(kelvin.length, 1);
  });

  test('decisions 13: several From', async () => {
    assert.deepEqual(await faults([...GOOD, 'From: mario@pec.alfa.example']), [
      'il campo From è presente più di una volta',
    ]);
  });

  test('decisions 13: several mailboxes in From', async () => {
    assert.deepEqual(
      await faults(replaced(GOOD, 'From', 'From: mario@pec.alfa.example, luigi@pec.alfa.example')),
      ['il campo From contiene più di un indirizzo'],
    );
  });

  test('decisions 13: From absent or empty', async () => {
    const reason = 'il campo From è assente o non contiene alcun indirizzo';
    assert.deepEqual(await faults(replaced(GOOD, 'From')), [reason]);
    assert.deepEqual(await faults(replaced(GOOD, 'From', 'From:')), [reason]);
  });

  test('decisions 13: From that is no address, or a group', async () => {
    const reason = 'il campo From non contiene un indirizzo email valido';
    assert.deepEqual(await faults(replaced(GOOD, 'From', 'From: Mario Rossi')), [reason]);
    assert.deepEqual(await faults(replaced(GOOD, 'From', 'From: noi: mario@pec.alfa.example;')), [reason]);
  });

  test('decisions 13: To absent', async () => {
    const lines = ['From: mario@pec.alfa.example', 'Cc: anna@pec.beta.example'];
    assert.deepEqual(await faults(lines, { recipients: ['anna@pec.beta.example'] }), [
      'il campo To è assente',
    ]);
  });

  test('decisions 13: To empty or an empty group', async () => {
    for (const to of ['To:', 'To: undisclosed-recipients:;']) {
      const lines = ['From: mario@pec.alfa.example', to, 'Cc: anna@pec.beta.example'];
      assert.deepEqual(await faults(lines, { recipients: ['anna@pec.beta.example'] }), [
        'il campo To non contiene alcun indirizzo email',
      ]);
    }
  });

  test('decisions 13: To or Cc syntactically invalid', async () => {
    const withTo = replaced(GOOD, 'To', 'To: anna@pec.beta.example, <luca@');
    assert.deepEqual(await faults(withTo), ['il campo To contiene indirizzi email non validi']);
    const withCc = replaced(GOOD, 'Cc', 'Cc: studio@@mail.example');
    assert.deepEqual(await faults(withCc), ['il campo Cc contiene indirizzi email non validi']);
  });

  test('decisions 13: a RCPT not in To or Cc, one reason for each such address', async () => {
    const recipients = ['anna@pec.beta.example', 'uno@x.example', 'due@x.example', 'UNO@x.example'];
    assert.deepEqual(await faults(GOOD, { recipients }), [
      "l'indirizzo email uno@x.example non appare nei campi To o Cc",
      "l'indirizzo email due@x.example non appare nei campi To o Cc",
    ]);
  });

  test('decisions 13: a RCPT in To, Cc or a group is found without regard to case', async () => {
    const recipients = ['ANNA@pec.beta.example', 'Studio@MAIL.example'];
    assert.deepEqual(await faults(GOOD, { recipients }), []);
    const grouped = replaced(GOOD, 'To', 'To: amici: anna@pec.beta.example, luca@pec.beta.example;');
    assert.deepEqual(await faults(grouped), []);
  });

  test('decisions 13: more than 50 recipients, repeats counted once', async () => {
    const addresses = Array.from({ length: 51 }, (_, index) => `u${index}@pec.beta.example`);
    const lines = replaced(GOOD, 'To', `To: ${addresses.join(',\r\n ')}`);
    assert.deepEqual(await faults(lines, { recipients: addresses }), [
      'ecceduto il numero massimo di destinatari (51 su 50)',
    ]);
    const fifty = addresses.slice(0, 50);
    assert.deepEqual(
      await faults(lines, { recipients: [...fifty, ...fifty.map((a) => a.toUpperCase())] }),
      [],
    );
  });

  test('decisions 13: message size', async () => {
    const recipients = ['anna@pec.beta.example'];
    assert.deepEqual(await faults(GOOD, { recipients, size: 30 * MB }), []);
    const [size] = await faults(GOOD, { recipients, size: 30 * MB + 1 });
    assert.equal(size, 'ecceduta la dimensione massima del messaggio (31457281 byte su 31457280)');
  });

  test('decisions 13: size times recipients, repeats counted once', async () => {
    assert.deepEqual(await faults(GOOD, { size: 10 * MB }), []);
    assert.deepEqual(await faults(GOOD, { size: 10 * MB + 1 }), [
      'ecceduta la dimensione massima del messaggio moltiplicata per il numero dei destinatari (31457283 byte su 31457280)',
    ]);
    const twice = ['anna@pec.beta.example', 'ANNA@pec.beta.example'];
    assert.deepEqual(await faults(GOOD, { recipients: twice, size: 30 * MB }), []);
  });

  test('decisions 13: a line over 998 octets', async () => {
    assert.deepEqual(await faults(GOOD, { longestLine: 998 }), []);
    assert.deepEqual(await faults(GOOD, { longestLine: 999 }), [
      'il messaggio contiene una riga più lunga di 998 caratteri',
    ]);
    assert.equal((await faults([...GOOD, `X-Long: ${'a'.repeat(991)}`])).length, 1);
  });

  test('decisions 13: malformed header', async () => {
    assert.deepEqual(await faults([...GOOD, 'questa non è una riga']), [
      'l\'intestazione del messaggio contiene una riga che non è un campo valido: "questa non ?? una riga"',
    ]);
  });

  test('RFC 5322 3.6: a field that may stand once stands twice', async () => {
    assert.deepEqual(await faults([...GOOD, 'Subject: altra']), [
      'il campo Subject è presente più di una volta',
    ]);
    assert.deepEqual(await faults([...GOOD, 'To: anna@pec.beta.example']), [
      'il campo To è presente più di una volta',
    ]);
  });

  test('decisions 15: a doubled Message-ID is no fault', async () => {
    assert.deepEqual(await faults([...GOOD, 'Message-ID: <a@b>', 'Message-ID: <c@d>']), []);
  });

  test('all reasons are given together', async () => {
    const found = await faults(['Bcc: x@y.example', 'riga'], { size: 31 * MB, longestLine: 2000 });
    assert.equal(found.length, 10);
  });

  test('never throws, and every reason is a sentence part', () => {
    const name = fc.constantFrom('From', 'To', 'Cc', 'Bcc', 'Subject', 'X', '', 'To ', 'From\t');
    const value = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.stringMatching(/^[<>@,;:"()\\. a-z[\]=?-]{0,60}$/),
      fc.constantFrom('a@b.example', '=?utf-8?q?=', 'g:;', '"', '(('),
    );
    const line = fc.oneof(
      fc.tuple(name, value).map(([key, text]) => `${key}:${text}`),
      value,
    );
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 8 }),
        fc.array(value, { maxLength: 5 }),
        (lines, recipients) => {
          const header = new Header(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'utf8'));
          const input = {
            header,
            mailFrom: 'a@b.example',
            recipients,
            size: 10,
            longestLine: 10,
            limits: LIMITS,
          };
          for (const reason of formalFaults(input)) assert.match(reason, /^[a-z]/);
        },
      ),
    );
  });
});
