import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeBody, readStructure } from '../../src/mime/index.js';
import {
  buildDaticert,
  type Daticert,
  DaticertError,
  ERRORI,
  RECEIPT_TYPES,
  readDaticert,
  TIPI,
} from '../../src/pec/index.js';
import { needs } from '../support/programs.js';
import { certified, everyKind, id, notify } from './cases.js';

const DTD = 'test/fixtures/postacert.dtd';

const sample: Daticert = {
  tipo: 'avvenuta-consegna',
  errore: 'nessuno',
  mittente: 'anna@studio.example',
  destinatari: [
    { address: 'mario@comune.example', kind: 'certificato' },
    { address: 'x@posta.example', kind: 'esterno' },
  ],
  risposte: 'anna@studio.example',
  oggetto: 'Prova <&> "è"',
  gestoreEmittente: 'Ceralacca S.r.l.',
  giorno: '13/11/2018',
  ora: '16:39:26',
  zona: '+0100',
  identificativo: 'ceralacca1.20181113163926.0123456789abcdef@gestore.example',
  msgid: '<1@casa.example>',
  ricevuta: 'completa',
  consegna: 'mario@comune.example',
  ricezione: [],
};

const xml = buildDaticert(sample);
const read = (text: string): Daticert => readDaticert(Buffer.from(text, 'utf8'));
const refused = (text: string, pattern: RegExp = /./): void =>
  assert.throws(
    () => read(text),
    (error) => error instanceof DaticertError && pattern.test(error.message),
  );

test('pec-format 1.4: the bytes are those the gestori write', () => {
  assert.equal(
    xml,
    [
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<postacert tipo="avvenuta-consegna" errore="nessuno">',
      '    <intestazione>',
      '        <mittente>anna@studio.example</mittente>',
      '        <destinatari tipo="certificato">mario@comune.example</destinatari>',
      '        <destinatari tipo="esterno">x@posta.example</destinatari>',
      '        <risposte>anna@studio.example</risposte>',
      '        <oggetto>Prova &lt;&amp;&gt; "è"</oggetto>',
      '    </intestazione>',
      '    <dati>',
      '        <gestore-emittente>Ceralacca S.r.l.</gestore-emittente>',
      '        <data zona="+0100">',
      '            <giorno>13/11/2018</giorno>',
      '            <ora>16:39:26</ora>',
      '        </data>',
      '        <identificativo>ceralacca1.20181113163926.0123456789abcdef@gestore.example</identificativo>',
      '        <msgid>&lt;1@casa.example&gt;</msgid>',
      '        <ricevuta tipo="completa" />',
      '        <consegna>mario@comune.example</consegna>',
      '    </dati>',
      '</postacert>',
      '',
    ].join('\n'),
  );
  assert.deepEqual(compact(read(xml)), sample);
});

test('RFC 6109 4.4: every daticert of ours is valid against the DTD', {
  skip: needs('xmllint'),
}, async () => {
  for (const [name, { entity }] of await everyKind()) {
    const part = (await readStructure(entity)).children.find(({ fileName }) => fileName === 'daticert.xml');
    if (name === 'anomalia') {
      assert.equal(part, undefined);
      continue;
    }
    assert.ok(part, name);
    const bytes = await decodeBody(entity.slice(part.bodyStart, part.end), 'base64', 1 << 20);
    assertValid(bytes, name);
    assert.equal(readDaticert(bytes).identificativo, certified.identificativo);
  }
});

test('decisions 18: characters illegal in XML become U+FFFD, the others are exact', {
  skip: needs('xmllint'),
}, () => {
  const oggetto = 'a\u0000b\u000bc\ud800d\ufffe\u{1f600}è\r\n\t]]>&amp;\u0085';
  const text = buildDaticert({ ...sample, oggetto });
  assertValid(Buffer.from(text, 'utf8'), 'illegal characters');
  assert.equal(read(text).oggetto, 'a\ufffdb\ufffdc\ufffdd\ufffd\u{1f600}è\r\n\t]]>&amp;\u0085');
});

test('decisions 12: a virus is errore="virus" in every kind', () => {
  for (const notification of [
    { kind: 'non-accettazione', virus: 'Eicar' },
    { kind: 'errore-consegna', recipient: 'a@b.example', virus: 'Eicar' },
    { kind: 'rilevazione-virus', recipient: 'a@b.example', virus: 'Eicar' },
  ] as const) {
    const encoded =
      notify(notification).entity.resident()?.toString('latin1').split('base64\r\n\r\n')[1] ?? '';
    const daticert = readDaticert(Buffer.from(encoded.split('\r\n--')[0] ?? '', 'base64'));
    assert.equal(daticert.errore, 'virus');
    assert.equal(daticert.erroreEsteso, 'Eicar');
    assert.equal(daticert.tipo, notification.kind);
  }
});

const text = fc.string({ unit: 'binary', maxLength: 40 });
const legal = text.map((value) =>
  value.replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '?'),
);
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });
const daticerts = (words: fc.Arbitrary<string>): fc.Arbitrary<Daticert> =>
  fc.record({
    tipo: fc.constantFrom(...TIPI),
    errore: fc.constantFrom(...ERRORI),
    mittente: words,
    destinatari: fc.array(
      fc.record(
        { address: words, kind: fc.constantFrom('certificato' as const, 'esterno' as const) },
        { noNullPrototype: true },
      ),
      { minLength: 1, maxLength: 4 },
    ),
    risposte: words,
    oggetto: maybe(words),
    gestoreEmittente: words,
    giorno: words,
    ora: words,
    zona: fc.stringMatching(/^[+-]\d{4}$/),
    identificativo: words,
    msgid: maybe(words),
    ricevuta: maybe(fc.constantFrom(...RECEIPT_TYPES)),
    consegna: maybe(words),
    ricezione: fc.array(words, { maxLength: 3 }),
    erroreEsteso: maybe(words),
  });

/** Undefined members are absent ones. */
const compact = (daticert: Daticert) =>
  Object.fromEntries(Object.entries(daticert).filter(([, v]) => v !== undefined));

test('what is written is read back, whatever the characters', () => {
  fc.assert(
    fc.property(daticerts(legal), (daticert) => {
      assert.deepEqual(compact(read(buildDaticert(daticert))), compact(daticert));
    }),
  );
  fc.assert(
    fc.property(daticerts(text), (daticert) => {
      assert.equal(read(buildDaticert(daticert)).tipo, daticert.tipo);
    }),
  );
});

test('the reader throws nothing but DaticertError', () => {
  const tokens = fc.constantFrom(
    '<',
    '>',
    '</',
    '/>',
    '&',
    '&#',
    ';',
    '"',
    "'",
    '=',
    ' ',
    '\n',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<?xml',
    '?>',
    '<!DOCTYPE',
    '<postacert tipo="accettazione">',
    '<dati>',
    '</dati>',
    '__proto__',
    'constructor',
    '#text',
    ':@',
    'hasOwnProperty',
    '\u0000',
    '\ufeff',
  );
  const soup = fc
    .array(fc.oneof(tokens, fc.string({ maxLength: 5 })), { maxLength: 40 })
    .map((parts) => parts.join(''));
  const damaged = fc
    .record({ at: fc.nat(xml.length), cut: fc.nat(30), soup })
    .map(({ at, cut, soup }) => xml.slice(0, at) + soup + xml.slice(at + cut));
  const check = (bytes: Buffer): void => {
    try {
      readDaticert(bytes);
    } catch (error) {
      assert.ok(error instanceof DaticertError, String(error));
    }
  };
  fc.assert(
    fc.property(fc.oneof(soup, damaged), (value) => check(Buffer.from(value, 'utf8'))),
    { numRuns: 2000 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => check(Buffer.from(bytes))));
});

test('a DOCTYPE, an entity declaration and a bomb are refused before parsing', () => {
  const bomb =
    '<!DOCTYPE postacert [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">' +
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>';
  refused(xml.replace('<postacert', `${bomb}<postacert`).replace('Prova', '&c;'), /DOCTYPE/);
  refused(xml.replace('<postacert', '<!DOCTYPE postacert SYSTEM "file:///etc/passwd"><postacert'), /DOCTYPE/);
  refused(xml.replace('<postacert', '<!doctype postacert><postacert'), /DOCTYPE/);
  refused(xml.replace('<dati>', '<!ENTITY a "b"><dati>'), /DOCTYPE/);
  refused(xml.replace('Prova', '&xxe;'), /riferimento/);
  refused(xml.replace('Prova', '&#0;'), /riferimento/);
  refused(xml.replace('Prova', '&#xD800;'), /riferimento/);
  refused(xml.replace('Prova', 'x'.repeat(1024 * 1024)), /dimensione/);
  refused(`${'<a>'.repeat(100_000)}${'</a>'.repeat(100_000)}`);
});

test('a comment between elements and a CDATA section may quote what is refused elsewhere', () => {
  const quoting = xml
    .replace('<oggetto>Prova &lt;&amp;&gt; "è"', '<!-- <!DOCTYPE --><oggetto><![CDATA[<!ENTITY & &lt;]]>')
    .replace('<dati>', '<dati><!-- - -->');
  assert.equal(read(quoting).oggetto, '<!ENTITY & &lt;');
});

test('the shape is that of the DTD', () => {
  refused('', /./);
  refused('testo');
  refused('<postacert tipo="accettazione"/>', /intestazione/);
  refused(`${xml}<altro/>`);
  refused(xml.replaceAll('postacert', 'altro'), /radice/);
  refused(xml.replace('avvenuta-consegna', 'mancata-consegna'), /tipo/);
  refused(xml.replace(' errore="nessuno"', ' errore="boh"'), /errore/);
  refused(xml.replace('tipo="completa"', 'tipo="lunga"'), /tipo/);
  refused(xml.replace(' zona="+0100"', ''), /zona/);
  refused(xml.replace('<msgid>', '<nuovo>x</nuovo><msgid>'), /nuovo/);
  refused(xml.replace('<mittente>', '<mittente a="b">'), /attributo/);
  refused(xml.replace('<mittente>', '<mittente><b>c</b>'), /mittente/);
  refused(xml.replace('<dati>', '<dati>testo'), /testo/);
  refused(xml.replace(/ {8}<destinatari.*\n/g, ''), /destinatari/);
  refused(xml.replace(/( {8}<risposte.*\n)/, '$1$1'), /fuori posto/);
  refused(xml.replace(/( {8}<msgid.*\n)( {8}<ricevuta.*\n)/, '$2$1'), /fuori posto/);
  refused(xml.replace('</mittente>', '</risposte>'), /malformato/);
  refused(xml.replace('UTF-8', 'ISO-8859-1'), /UTF-8/);
  assert.throws(() => readDaticert(Buffer.from(xml, 'latin1')), DaticertError);
});

test('an identificativo of more than 250 characters is refused: it becomes a key', () => {
  const named = (length: number): string => xml.replace(sample.identificativo, 'i'.repeat(length));
  assert.equal(read(named(250)).identificativo.length, 250);
  refused(named(251), /identificativo più lungo di 250 caratteri/);
});

test('what other gestori may write and the DTD allows', () => {
  assert.equal(read(xml.replace(' errore="nessuno"', '')).errore, 'nessuno');
  assert.equal(read(xml.replace(' tipo="esterno"', '')).destinatari[1]?.kind, 'certificato');
  assert.equal(
    read(xml.replace('<ricevuta tipo="completa" />', "<ricevuta tipo='breve'></ricevuta>")).ricevuta,
    'breve',
  );
  assert.equal(read(xml.replace(/<oggetto>.*<\/oggetto>/, '<oggetto/>')).oggetto, '');
  assert.equal(read(xml.replace(/<oggetto>.*<\/oggetto>/, '')).oggetto, undefined);
  assert.equal(read(xml.replaceAll('\n', '\r\n')).ora, '16:39:26');
  assert.equal(read(`\ufeff${xml}`).ora, '16:39:26');
  assert.equal(read(xml.replace(/>\s+</g, '><')).consegna, 'mario@comune.example');
  assert.equal(read(xml.replace(/<\?xml.*\?>\n/, '')).consegna, 'mario@comune.example');
});

test('without recipients there is no daticert', () => {
  assert.throws(() => buildDaticert({ ...sample, destinatari: [] }), RangeError);
});

test('500 recipients stay far below the limit', () => {
  const destinatari = Array.from({ length: 500 }, (_, at) => ({
    address: `${'nome'.repeat(12)}${at}@${'dominio'.repeat(20)}.example`,
    kind: 'certificato' as const,
  }));
  const bytes = Buffer.from(buildDaticert({ ...sample, destinatari, identificativo: id('molti') }), 'utf8');
  assert.equal(readDaticert(bytes).destinatari.length, 500);
});

function assertValid(daticert: Buffer, name: string): void {
  const run = spawnSync('xmllint', ['--noout', '--nonet', '--dtdvalid', DTD, '-'], { input: daticert });
  assert.equal(run.status, 0, `${name}: ${run.stderr.toString()}`);
}
