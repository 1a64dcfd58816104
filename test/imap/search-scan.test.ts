/** What is in memory, the stored summaries and the full text index save work; they change no answer (RFC 9051 6.4.4). */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Dialogue } from './dialogue.js';
import { startImap, type TestImapServer } from './support/imap-server.js';

const USER = 'anna@alfa.example';

const letter = (header: readonly string[], body: string): string => [...header, '', body, ''].join('\r\n');

/** Headers and bodies in which a filter could go wrong. */
const letters: readonly string[] = [
  letter(['Subject: Fattura n. 12', 'From: Anna Rossi <anna@alfa.example>'], 'Protocollo riservato'),
  letter(
    ['Subject: =?utf-8?Q?Citt=C3=A0_?= =?utf-8?Q?eterna?=', 'From: "Rossi, Anna" <anna@alfa.example>'],
    'x',
  ),
  letter(['Subject: \xa0spazio\xa0', 'X-Ricevuta: accettazione'], 'protocollo  \r\n\t riservato'),
  letter(['Subject: =?utf-8?B?zIFlzIE=?=', 'X-Ricevuta: =?utf-8?Q?=CC=81?='], 'e\xcc\x81 accento'),
  letter(['Subject: =?utf-8?B?zqPOn86m4paizqM=?=', 'From: "uf\\ficio"@alfa.example'], 'ΣΟΦΟΣ'),
  letter(
    ['Subject: Re: fattura', ' n. 12 bis', 'To: uff(commento)icio@alfa.example'],
    'riservato protocollo',
  ),
  letter(['From: a@b', 'X-Nota: fattura n. 12'], 'Subject: Fattura n. 99'),
  letter(['Subject: a\tb', 'From: (fattura) c@d'], 'İstanbul ﬁne'),
  'Subject: senza corpo\r\n\r\n',
  letter(
    [
      'Subject: grande',
      `X-Lungo: ${'y'.repeat(900)}`,
      ...Array.from({ length: 30 }, (_, at) => `X-${at}: ${'z'.repeat(900)}`),
    ],
    'fine',
  ),
  letter(['Content-Type: text/html', 'Subject: html'], '<b>Protocollo</b> riservato'),
];

const searches: readonly string[] = [
  'SUBJECT "fattura n. 12"',
  'SUBJECT "n. 12 bis"',
  'SUBJECT "Fattura"',
  'SUBJECT "città eterna"',
  'SUBJECT " spazio"',
  'SUBJECT "spazio "',
  'SUBJECT "\u0301e\u0301"',
  'SUBJECT "é"',
  'SUBJECT "σοφ"',
  'SUBJECT "a b"',
  'SUBJECT ""',
  'HEADER X-Ricevuta accettazione',
  'HEADER X-Ricevuta ""',
  'HEADER X-Nota "fattura n. 12"',
  'HEADER X-Nota "n. 99"',
  'HEADER X-29 zzzz',
  'NOT SUBJECT fattura',
  'OR SUBJECT fattura HEADER X-Ricevuta accettazione',
  'NOT (OR SUBJECT fattura UNSEEN)',
  'SEEN SUBJECT fattura',
  'OR SEEN NOT BODY riservato',
  'NOT (SEEN BODY riservato)',
  'FROM "rossi, anna <anna@"',
  'FROM ufficio',
  'FROM fattura',
  'TO ufficio',
  'TEXT "n. 99"',
  'BODY "n. 99"',
  'BODY "protocollo riservato"',
  'BODY "protocollo"',
  'TEXT "fattura n. 12"',
  'BODY "fattura n. 12"',
  'BODY "é accento"',
  'BODY "σοφος"',
  'BODY "xy"',
  'BODY "İstanbul"',
  'BODY ""',
  '2:5 SUBJECT fattura',
  'SENTBEFORE 1-Jan-2000',
  'LARGER 200 TEXT riservato',
];

describe('SEARCH', () => {
  let indexed: TestImapServer;
  let plain: TestImapServer;
  const clients: Dialogue[] = [];
  before(async () => {
    indexed = await startImap();
    plain = await startImap({ indexing: false });
    for (const { port } of [indexed, plain]) {
      const client = await Dialogue.loggedIn(port, USER);
      clients.push(client);
      for (const [at, text] of letters.entries()) {
        const octets = Buffer.from(text, /[^\0-\xff]/.test(text) ? 'utf8' : 'latin1');
        const flags = at % 2 === 0 ? '(\\Seen)' : '($A)';
        client.say(
          Buffer.concat([
            Buffer.from(`A${at} APPEND INBOX ${flags} {${octets.length}+}\r\n`),
            octets,
            Buffer.from('\r\n'),
          ]),
        );
        assert.match(await client.hear(), new RegExp(`^A${at} OK`));
      }
    }
    await indexed.indexer.catchUp();
    for (const client of clients) await client.expect('SELECT INBOX');
  });
  after(async () => {
    await indexed.stop();
    await plain.stop();
  });

  const told = async (client: Dialogue, command: string): Promise<string[]> =>
    (await client.expect(Buffer.from(command, 'utf8').toString('latin1'))).filter((line) =>
      /^\* (?:SEARCH|SORT|THREAD|\d+ FETCH)/.test(line),
    );

  it('answers the same with summaries and full text as without', async () => {
    const [one, other] = clients as [Dialogue, Dialogue];
    const counts = new Set<number>();
    for (const keys of searches) {
      const command = `SEARCH CHARSET UTF-8 ${keys}`;
      const answer = await told(one, command);
      assert.deepEqual(answer, await told(other, command), keys);
      assert.deepEqual(await told(one, command), answer, `${keys}, once more`);
      counts.add((answer[0] ?? '').split(' ').length);
    }
    assert.ok(counts.size > 4, 'the searches tell the letters apart');
  });

  it('sorts, threads and lists the same', async () => {
    const [one, other] = clients as [Dialogue, Dialogue];
    const commands = [
      ...['SUBJECT', 'REVERSE DATE', 'FROM', 'SIZE', 'DISPLAYFROM'].map((by) => `SORT (${by}) UTF-8 ALL`),
      'SORT (SUBJECT) UTF-8 SUBJECT fattura',
      'THREAD REFERENCES UTF-8 ALL',
      'FETCH 1:* (UID FLAGS RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE PREVIEW)',
      'FETCH 1:* (BODY.PEEK[HEADER] BODY.PEEK[HEADER.FIELDS (Subject From X-29)]<3.40> BODY.PEEK[HEADER.FIELDS.NOT (from)])',
      'FETCH 1:* (BODY.PEEK[1] BODY.PEEK[TEXT]<2.9> BODY.PEEK[])',
    ];
    for (const command of commands) assert.deepEqual(await told(one, command), await told(other, command));
  });
});
