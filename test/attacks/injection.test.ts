/** Whatever strangers put into addresses, names, subjects and answers: what we write says what we say, and no more. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Call } from '../../src/cli/command.js';
import { composeDsn } from '../../src/delivery-point/dsn.js';
import { encodePhrase, encodeSubject, formatParameter, Header, readStructure } from '../../src/mime/index.js';
import { briefForm, buildDaticert, readDaticert } from '../../src/pec/index.js';
import { htmlText } from '../../src/pec/readable-text.js';
import { replyFor } from '../../src/smtp/errors.js';
import { receivedField, SmtpError } from '../../src/smtp/index.js';
import { createTelemetry } from '../../src/telemetry/index.js';
import { wireText } from '../../src/wire/pop3/text.js';
import {
  anomaly,
  certified,
  certifiedFor,
  envelope,
  message,
  names,
  outer,
  rendered,
  time,
} from '../pec/cases.js';

const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '\r\n',
      '\r',
      '\n',
      '\0',
      '\r\n\r\n',
      '\r\nX-Ricevuta: falsa\r\n',
      '\r\n.\r\n',
      '\r\n--',
      '</oggetto>',
      '<script>',
      '&',
      ']]>',
      '"',
      '\\',
      '<',
      '>',
      '?=',
      '=?utf-8?Q?',
      '\u001b[2J',
      '\u009b2J',
      '\u2028',
      '\u202e',
      '\ud800',
      '; x="',
      '","msg":"',
      '\n12:00:00.000 ERROR',
      '{{',
      '%0d%0a',
      '\u00e8',
    ),
    fc.string({ unit: 'binary', maxLength: 3 }),
  ),
  maxLength: 40,
});
const RUNS = { numRuns: 500 };

/** A line end or an octet that a message of ours never holds. */
const UNCLEAN = /(?<!\r)\n|\r(?!\n)|\0/;
/** What a terminal would obey. */
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;

/** Half a character becomes U+FFFD. */
const wellFormed = (text: string): string => Buffer.from(text).toString();
const word = (text: string): string => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;
/** One field, as long as no line of it is too long: encoded words, each of its own. */
const words = (text: string): string => (text.match(/[\s\S]{1,8}/gu) ?? ['']).map(word).join('\r\n ');

describe('what we compose of a hostile letter', () => {
  const letter = (subject: string, name: string, file: string) =>
    message(
      `From: ${words(name)} <anna.bianchi@studio.example>`,
      `To: ${words(name)} <mario.rossi@comune.example>`,
      `Reply-To: ${words(name)} <anna.bianchi@studio.example>`,
      `Subject: ${words(subject)}`,
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary="c"',
      '',
      '--c',
      `Content-Type: text/plain;\r\n name*=utf-8''${encodeURIComponent(wellFormed(file)).replace(/['()*!]/g, '_')}`,
      '',
      'testo',
      '--c--',
      '',
    );

  it('envelope, anomaly and brief form: the same fields and parts as ever', async () => {
    const plain = letter('x', 'x', 'x');
    const expected = [names(await envelope(plain, await certifiedFor(plain))), names(await anomaly(plain))];
    await fc.assert(
      fc.asyncProperty(hostile, hostile, hostile, async (subject, name, file) => {
        const from = letter(subject, name, file);
        const composed = [await envelope(from, await certifiedFor(from)), await anomaly(from)] as const;
        assert.deepEqual(composed.map(names), expected);
        for (const one of composed) {
          assert.equal(outer(one).malformed.length, 0);
          assert.doesNotMatch((await rendered(one)).toString('latin1'), UNCLEAN);
        }
        assert.equal((await readStructure(composed[0].entity)).children.length, 3);
        assert.equal((await readStructure(composed[1].entity)).children.length, 2);
        const brief = await briefForm(from);
        assert.doesNotMatch((await brief.bytes()).toString('latin1'), UNCLEAN);
        const [part, ...others] = (await readStructure(brief)).children;
        assert.equal(others.length, 0);
        assert.ok(part?.header.fields.every((field) => field.name.startsWith('Content-')));
      }),
      { numRuns: 200 },
    );
  });

  it('the certified data are read as they were written, text by text', () => {
    const kept = (text: string): string =>
      wellFormed(text)
        .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
        .trim();
    fc.assert(
      fc.property(hostile, hostile, hostile, (subject, address, errore) => {
        const written = {
          tipo: 'errore-consegna',
          errore: 'altro',
          mittente: `a${address}b`,
          destinatari: [{ address: `a${address}b`, kind: 'esterno' }],
          risposte: `a${address}b`,
          oggetto: `a${subject}b`,
          gestoreEmittente: `a${errore}b`,
          giorno: '14/10/2026',
          ora: '09:05:09',
          zona: '+0200',
          identificativo: certified.identificativo,
          consegna: `a${address}b`,
          ricezione: [],
          erroreEsteso: `a${errore}b`,
        } as const;
        const read = readDaticert(Buffer.from(buildDaticert(written)));
        assert.equal(read.mittente, kept(written.mittente));
        assert.deepEqual(read.destinatari, [{ address: kept(written.mittente), kind: 'esterno' }]);
        assert.equal(read.oggetto, kept(written.oggetto));
        assert.equal(read.gestoreEmittente, kept(written.gestoreEmittente));
        assert.equal(read.erroreEsteso, kept(written.erroreEsteso));
        assert.equal(read.tipo, 'errore-consegna');
        assert.equal(read.identificativo, certified.identificativo);
      }),
      RUNS,
    );
  });

  it('the page holds no tag but ours', () => {
    const tags = (html: string): string[] => html.match(/<[^>]*>?/g) ?? [];
    const expected = tags(htmlText({ prefix: '', title: 'x', lines: ['x', 'x'] }).toString('latin1'));
    fc.assert(
      fc.property(hostile, hostile, (title, line) => {
        const html = htmlText({ prefix: '', title, lines: [line, line] }).toString('latin1');
        assert.deepEqual(tags(html), expected);
        assert.doesNotMatch(html.replace(/&(?:amp|lt|gt|quot|#\d+);/g, ''), /&/);
      }),
      RUNS,
    );
  });

  it('a delivery status notification of a hostile answer has its three parts and its own fields', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, hostile, async (diagnostic, header) => {
        const field = `Subject: ${encodeSubject('', header)}\r\n\r\n`;
        const rope = composeDsn({
          time,
          hostname: 'mail.gestore.example',
          mailDomain: 'gestore.example',
          messageId: 'dsn.1@gestore.example',
          to: 'anna@gestore.example',
          recipients: [{ address: 'x@y.example', status: '5.1.1', diagnostic }],
          opening: ['Non consegnato:', 'Not delivered:'],
          returned: Buffer.from(field, 'latin1'),
        });
        const text = (await rope.bytes()).toString('latin1');
        assert.doesNotMatch(text, UNCLEAN);
        const root = await readStructure(rope);
        assert.equal(root.children.length, 3);
        const report = text.slice(root.children[1]?.bodyStart, root.children[1]?.end);
        assert.deepEqual(report.match(/^[^:\r\n ]+(?=:)/gm), [
          'Reporting-MTA',
          'Arrival-Date',
          'Final-Recipient',
          'Action',
          'Status',
          'Diagnostic-Code',
        ]);
      }),
      RUNS,
    );
  });

  it('a phrase, a subject and a parameter stay one field', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        for (const line of [
          `From: ${encodePhrase(text)} <a@b.example>\r\n`,
          `Subject: ${encodeSubject('POSTA CERTIFICATA:', text)}\r\n`,
          `Content-Type: text/plain${formatParameter('name', text)}\r\n`,
        ]) {
          assert.doesNotMatch(line, UNCLEAN);
          const header = new Header(Buffer.from(`${line}\r\n`, 'latin1'));
          assert.equal(header.fields.length, 1, JSON.stringify(line));
          assert.equal(header.malformed.length, 0);
        }
      }),
      RUNS,
    );
  });
});

describe('what we answer', () => {
  it('is one line of printable ASCII, whatever is quoted in it', () => {
    fc.assert(
      fc.property(hostile, (publicText) => {
        const { text } = replyFor(new SmtpError({ code: 550, enhanced: '5.7.1', publicText }));
        assert.match(text, /^5\.7\.1 [\x20-\x7e]*$/);
        assert.match(wireText(publicText, 400), /^[\x20-\x7e]*$/);
      }),
      RUNS,
    );
  });

  it('Received repeats of a greeting what can do no harm', () => {
    fc.assert(
      fc.property(hostile, (helo) => {
        const peer = { id: 'S1', helo, remoteAddress: '192.0.2.1', protocol: 'ESMTPS' };
        const field = receivedField(peer, 'mail.gestore.example', time.date);
        assert.equal(new Header(Buffer.from(`${field}\r\n`, 'latin1')).fields.length, 1);
        assert.equal(field.split('\r\n').length, 4);
        assert.doesNotMatch(field, /[()<>;"\\].*\n?.*\(192/);
      }),
      RUNS,
    );
  });
});

describe('what the operator reads', () => {
  for (const pretty of [false, true]) {
    it(`the log: an event is a line${pretty ? ', that a terminal may show' : ''}`, () => {
      const lines: string[] = [];
      const telemetry = createTelemetry(
        { level: 'trace', pretty },
        { write: (line) => void lines.push(line) },
      );
      fc.assert(
        fc.property(hostile, (text) => {
          lines.length = 0;
          telemetry.event('login.failed', { protocol: 'pop3', peer: '::1', user: text, reason: 'bad' });
          telemetry.event('relay.failed', {
            identificativo: text,
            destination: text,
            kind: 'envelope',
            recipients: 1,
            error: text,
          });
          assert.equal(lines.length, 2);
          for (const line of lines) {
            assert.equal(line.indexOf('\n'), line.length - 1);
            if (pretty) assert.doesNotMatch(line, CONTROL);
            else assert.doesNotMatch(line.slice(0, -1), /[\u0000-\u001f]/);
          }
          if (pretty) assert.match(lines[0] ?? '', /^\S+ WARN {2}login failed protocol=pop3 peer=::1 user=/);
          else assert.equal(JSON.parse(lines[0] ?? '').user, text);
        }),
        RUNS,
      );
    });
  }

  it('the commands: a row is a line, JSON is what was meant, and neither drives the terminal', () => {
    fc.assert(
      fc.property(hostile, hostile, (subject, error) => {
        const said = (json: boolean, tell: (call: Call) => void): string => {
          let text = '';
          const write = (piece: string): void => {
            text += piece;
          };
          const surroundings = { out: write, err: write, env: {}, stdin: process.stdin };
          tell(new Call({ arguments: [], options: { json }, surroundings }));
          assert.doesNotMatch(text, CONTROL);
          return text;
        };
        const rows = [{ subject, error }];
        const columns = [
          ['SUBJECT', (row: { subject: string }) => row.subject],
          ['ERROR', (row: { error: string }) => row.error],
        ] as const;
        assert.equal(said(false, (call) => call.list(rows, columns)).split('\n').length, 3);
        assert.equal(said(false, (call) => call.show({ subject, error })).split('\n').length, 3);
        assert.deepEqual(JSON.parse(said(true, (call) => call.list(rows, columns))), rows);
        said(false, (call) => call.remark(error));
        said(false, (call) => call.print(`${subject} ${error}`));
      }),
      RUNS,
    );
  });
});
