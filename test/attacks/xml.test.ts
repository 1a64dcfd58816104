/** daticert.xml as somebody would write it who wants two readers to read two things, or one reader to die. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { readDaticert } from '../../src/pec/daticert-read.js';
import { buildDaticert } from '../../src/pec/daticert-write.js';
import { type Daticert, DaticertError } from '../../src/pec/index.js';
import { anna, berta, bruno, fromAlfa } from '../incoming-point/arrivals.js';
import { daticert as changedDaticert } from '../support/forged.js';
import { label } from '../support/notices.js';
import { type Scratch, scratch } from '../support/openssl.js';
import { sharedPair } from '../support/pair.js';
import { needs } from '../support/programs.js';

const DTD = join('test', 'fixtures', 'postacert.dtd');
const plain = buildDaticert({
  tipo: 'avvenuta-consegna',
  errore: 'nessuno',
  mittente: anna,
  destinatari: [
    { address: bruno, kind: 'certificato' },
    { address: berta, kind: 'esterno' },
  ],
  risposte: anna,
  oggetto: 'Prova <&> "è"',
  gestoreEmittente: 'Alfa PEC S.p.A.',
  giorno: '01/01/2025',
  ora: '10:00:00',
  zona: '+0100',
  identificativo: 'x@pec.alfa.example',
  msgid: '<m@client.example>',
  ricevuta: 'completa',
  consegna: bruno,
  ricezione: [],
});

const read = (text: string | Buffer): Daticert => readDaticert(Buffer.from(text));
const put = (from: string, to: string): string => {
  assert.ok(plain.includes(from), from);
  return plain.replace(from, () => to);
};
const refused = (text: string | Buffer, why: RegExp = /./): void => {
  assert.throws(
    () => read(text),
    (error) => error instanceof DaticertError && why.test(error.message),
    text.toString().slice(0, 300),
  );
};

describe('XML that harms its reader', () => {
  it('DTDs, entities and processing instructions are refused before they mean anything', () => {
    const laughs = `<!DOCTYPE postacert [<!ENTITY a "ha"><!ENTITY b "${'&a;'.repeat(10)}">]>`;
    const quadratic = `<!DOCTYPE postacert [<!ENTITY a "${'a'.repeat(50_000)}">]>`;
    for (const doctype of [
      laughs,
      quadratic,
      '<!DOCTYPE postacert SYSTEM "file:///etc/passwd">',
      '<!DOCTYPE postacert [<!ATTLIST destinatari tipo CDATA "esterno">]>',
      '<!doctype postacert>',
    ]) {
      refused(put('<postacert', `${doctype}<postacert`), /DOCTYPE/);
    }
    refused(put('Prova', '&a;'), /riferimento/);
    refused(put('Prova', '<?php x ?>'), /istruzioni/);
    refused(put('<postacert', '<?xml-stylesheet href="http://evil.example"?><postacert'), /istruzioni/);
  });

  it('depth, length and number are bounded', () => {
    refused('<a>'.repeat(100_000) + '</a>'.repeat(100_000), /annidati/);
    refused(put('Prova', '<a>'.repeat(90_000) + '</a>'.repeat(90_000)), /annidati/);
    refused(put('Prova', 'x'.repeat(10 * 1024 * 1024)), /dimensione/);
    const attributes = Array.from({ length: 70_000 }, (_, at) => ` a${at}="x"`).join('');
    refused(put('<postacert', `<postacert${attributes}`), /fuori posto/);
    refused(put('<postacert', `<postacert${' '.repeat(900_000)}x`), /malformato/);
    refused(put('Prova', '<!---->'.repeat(100_000)), /commento/);
    refused(put('Prova', '<![CDATA[]]>'.repeat(80_000)), /CDATA/);
    refused(put('Prova', '<'.repeat(900_000)), /malformato/);
    assert.equal(read(put('Prova', '&amp;'.repeat(150_000))).oggetto?.length, 150_000 + ' <&> "è"'.length);
  });

  it('names that JavaScript gives a meaning have none', () => {
    for (const name of ['__proto__', 'constructor', 'hasOwnProperty', 'toString']) {
      refused(put('<oggetto>', `<${name}>x</${name}><oggetto>`), /fuori posto/);
      refused(put('<postacert', `<postacert ${name}="x"`), /fuori posto/);
      refused(put(`tipo="avvenuta-consegna"`, `tipo="${name}"`), /non valido/);
    }
    for (const name of ['#text', ':@', '#cdata']) refused(put('<dati>', `<${name}>x</${name}><dati>`));
  });
});

describe('XML that two readers read as two things', () => {
  it('a value interrupted by a comment or a section: who asks for the first text node sees another one', () => {
    for (const cut of ['<!-- x -->', '<![CDATA[]]>', '<!---->']) {
      refused(put(`<consegna>${bruno}`, `<consegna>anna${cut}@pec.alfa.example`), /interrotto/);
      refused(put(`<mittente>${anna}`, `<mittente>${cut}${anna}`), /interrotto/);
    }
    assert.equal(read(put(`<consegna>${bruno}`, `<consegna><![CDATA[${bruno}]]>`)).consegna, bruno);
    assert.equal(read(put('<dati>', '<!-- x --><dati>')).consegna, bruno);
  });

  it('elements and attributes twice, in another place, in a name space, by another case', () => {
    refused(put('<consegna>', `<consegna>${berta}</consegna><consegna>`), /fuori posto/);
    refused(put('<mittente>', `<mittente>${berta}</mittente><mittente>`), /manca l'elemento destinatari/);
    refused(put('errore="nessuno"', 'errore="virus" errore="nessuno"'), /ripetuto/);
    refused(put('tipo="certificato"', 'tipo="esterno" tipo="certificato"'), /ripetuto/);
    refused(put('<postacert', '<postacert xmlns="urn:altro"'), /fuori posto/);
    refused(plain.replaceAll('consegna>', 'p:consegna>'), /fuori posto/);
    refused(plain.replaceAll('consegna>', 'CONSEGNA>'), /fuori posto/);
    refused(`${plain}${plain}`, /malformato/);
    refused(plain.replace('</postacert>', '</postacert><postacert tipo="accettazione"/>'), /malformato/);
  });

  it('encodings: UTF-8 alone, said or not', () => {
    refused(Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(plain, 'utf16le')]), /UTF-8/);
    refused(Buffer.from(plain, 'latin1'), /UTF-8/);
    for (const name of ['UTF-16', 'ISO-8859-1', 'windows-1252', 'UTF-7', 'cp037']) {
      refused(put('UTF-8', name), /UTF-8/);
    }
    assert.equal(read(`\ufeff${plain}`).consegna, bruno);
    refused(`\ufeff\ufeff${plain}`, /malformato/);
    refused(` ${plain}`, /./);
    // Overlong forms and surrogates are no UTF-8.
    const at = plain.indexOf('Prova');
    for (const octets of [
      [0xc0, 0xbc],
      [0xed, 0xa0, 0x80],
      [0xf8, 0x88, 0x80, 0x80, 0x80],
    ]) {
      const head = Buffer.from(plain.slice(0, at));
      refused(Buffer.concat([head, Buffer.from(octets), Buffer.from(plain.slice(at))]), /UTF-8/);
    }
  });

  it('white space other than XML\u2019s is no white space, and values keep theirs', () => {
    for (const space of ['\u00a0', '\ufeff', '\u2028', '\u0085', '\u3000']) {
      refused(put('<dati>', `<dati>${space}`), /fuori posto/);
    }
    assert.equal(read(put(`<consegna>${bruno}`, `<consegna> ${bruno}\n`)).consegna, ` ${bruno}\n`);
    refused(put('<ricevuta tipo="completa" />', '<ricevuta tipo="completa"> </ricevuta>'), /vuoto/);
    refused(put('tipo="avvenuta-consegna"', 'tipo=" avvenuta-consegna"'), /non valido/);
  });
});

describe('xmllint and our reader', { skip: needs('xmllint') }, () => {
  let files: Scratch;
  before(() => {
    files = scratch();
  });
  after(() => files.remove());

  const spots = Array.from(plain, (_, at) => at).filter((at) =>
    /[<>"=/? ]/.test(plain.slice(Math.max(0, at - 1), at + 1)),
  );
  const markup = fc.constantFrom(
    ...'< > </ /> &amp; &#65; " \' = \n \t <!-- --> <!--a--b--> <!---> <!----> ]]> <?x?> <??> -- / & ; x 1 : \r'.split(
      ' ',
    ),
    ...[' ', '\u0085', '\u00a0', '\ufeff', '\u2028', '<!-- x -->', '<![CDATA[x]]>', '<?xml version="1.0"?>'],
    ...[
      ' a="b"',
      ' tipo="completa"',
      ' errore="nessuno"',
      ' standalone="yes"',
      ' encoding="UTF-8"',
      ' xml:lang="it"',
    ],
    ...['<a/>', '</a>', '<oggetto/>', '<ricezione>a@b.it</ricezione>', '&lt', '&#x;', 'version="1.0"'],
  );
  const edit = fc.record({ spot: fc.nat(spots.length - 1), cut: fc.nat(3), text: markup });
  const spoiled = fc.array(edit, { minLength: 1, maxLength: 2 }).map((edits) =>
    edits.reduce((text, { spot, cut, text: piece }) => {
      const at = spots[spot] ?? 0;
      return text.slice(0, at) + piece + text.slice(at + cut);
    }, plain),
  );

  it('what we take, xmllint finds well-formed and valid by the DTD', () => {
    const taken = new Set<string>();
    for (const text of fc.sample(spoiled, 20_000)) {
      try {
        read(text);
        taken.add(text);
      } catch (error) {
        assert.ok(error instanceof DaticertError, String(error));
      }
    }
    assert.ok(taken.size > 20, `${taken.size} of the spoiled ones are still good`);
    // standalone="yes" forbids white space between elements (XML 1.0 2.9); JAXB writes both, and so do peers.
    const paths = [...taken].map((text, at) =>
      files.write(`${at}.xml`, text.replace(/^(<\?xml[^>]*) standalone="yes"/, '$1')),
    );
    for (let at = 0; at < paths.length; at += 200) {
      const args = ['--noout', '--nonet', '--dtdvalid', DTD, ...paths.slice(at, at + 200)];
      const run = spawnSync('xmllint', args, { encoding: 'utf8' });
      assert.equal(run.status, 0, run.stderr.slice(0, 2000));
    }
  });

  it('and the values are the same', () => {
    const values = fc.sample(
      fc.string({
        unit: fc.constantFrom('a', '@', '.', ' ', '\t', '\n', '\r', '<', '&', ']]>', '"', 'è', '\u0085'),
      }),
      40,
    );
    for (const [at, value] of values.entries()) {
      const text = buildDaticert({ ...read(plain), mittente: value, oggetto: value });
      const path = files.write(`value-${at}.xml`, text);
      const run = spawnSync('xmllint', ['--xpath', 'string(//mittente)', path], { encoding: 'utf8' });
      assert.equal(run.stdout.replace(/\n$/, ''), read(text).mittente);
      assert.equal(read(text).mittente, value);
    }
  });
});

describe('ambiguous certification data at the incoming point', () => {
  const here = sharedPair();

  it('decisions 21: signed by a gestore, form wrong -> anomaly, no presa in carico, no consegna', async () => {
    const pair = here();
    const { beta } = pair;
    const changes: [string, string][] = [
      [`<mittente>${anna}`, `<mittente>${anna.replace('@', '<!-- -->@')}`],
      ['<dati>', '<dati><?x y?>'],
      ['<postacert', '<!DOCTYPE postacert><postacert'],
      ['<identificativo>', '<identificativo>altro</identificativo><identificativo>'],
      [`<mittente>${anna}`, `<mittente> ${anna} `],
    ];
    for (const [from, to] of changes) {
      const { bytes } = await fromAlfa(pair, { change: changedDaticert(from, to) });
      const before = (await beta.inbox(bruno)).length;
      await beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes });
      const added = (await beta.inbox(bruno)).slice(before);
      assert.deepEqual(added.map(label), ['anomalia'], from);
      assert.deepEqual(await beta.queue(), []);
    }
  });
});
