import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Header, readHeader } from '../../src/mime/index.js';
import { readAnomaly, readEnvelope, readNotification } from '../../src/pec/form.js';
import { type Composed, serviceAddress } from '../../src/pec/index.js';
import { Rope } from '../../src/rope/index.js';
import { anomaly, certified, envelope, everyKind, provider } from './cases.js';
import {
  daticertPart,
  daticertXml,
  entityOf,
  type Facts,
  headerOf,
  IDENTIFICATIVO,
  original,
  postacertPart,
  RECIPIENT,
  replaced,
  SENDER,
  TEXT_PART,
} from './checking-support.js';

const SERVICE = serviceAddress('pec.alfa.example');
const OUTER = [
  'X-Trasporto: posta-certificata',
  `From: "Per conto di: ${SENDER}" <${SERVICE}>`,
  `To: ${RECIPIENT}`,
  'Subject: POSTA CERTIFICATA: prova',
  `Message-ID: <${IDENTIFICATIVO}>`,
];
const ENVELOPE: Facts = { tipo: 'posta-certificata', tail: '<ricevuta tipo="completa" />' };
const DELIVERED: Facts = {
  tipo: 'avvenuta-consegna',
  tail: `<ricevuta tipo="completa" /><consegna>${RECIPIENT}</consegna>`,
};

const envelopeEntity = (facts: Partial<Facts> = {}, message = original()): Rope =>
  entityOf(TEXT_PART, daticertPart(daticertXml({ ...ENVELOPE, ...facts })), postacertPart(message));

const envelopeFaults = async (
  entity: Rope,
  lines: readonly string[] = OUTER,
  mailFrom = SENDER,
): Promise<readonly string[]> => (await readEnvelope(await headerOf(...lines), entity, mailFrom)).faults;

const notificationFaults = async (facts: Facts, declared = facts.tipo, ...more: string[]) => {
  const outer = await headerOf(`X-Ricevuta: ${declared}`, `From: ${SERVICE}`);
  const entity = entityOf(TEXT_PART, daticertPart(daticertXml(facts)), ...more);
  return (await readNotification(outer, entity)).faults;
};

describe('the form of an envelope', () => {
  test('a sound one: daticert and postacert, byte for byte', async () => {
    const read = await readEnvelope(await headerOf(...OUTER), envelopeEntity(), SENDER.toUpperCase());
    assert.deepEqual(read.faults, []);
    assert.equal(read.daticert?.identificativo, IDENTIFICATIVO);
    assert.equal((await read.postacert?.bytes())?.toString('latin1'), original());
    assert.equal(read.postacertHeader?.raw('X-Riferimento-Message-ID'), '<1@client.example>');
  });

  test('RFC 6109 4.3: daticert and postacert in either order, and further parts', async () => {
    const extra = 'Content-Type: application/pdf; name="extra.pdf"\r\n\r\nx\r\n';
    const daticert = daticertPart(daticertXml(ENVELOPE));
    const postacert = postacertPart(original());
    assert.deepEqual(await envelopeFaults(entityOf(TEXT_PART, postacert, daticert)), []);
    assert.deepEqual(await envelopeFaults(entityOf(TEXT_PART, daticert, postacert, extra)), []);
    const alternative =
      'Content-Type: multipart/alternative; boundary="alt"\r\n\r\n--alt\r\n\r\nx\r\n--alt--\r\n';
    assert.deepEqual(await envelopeFaults(entityOf(alternative, daticert, postacert)), []);
  });

  test('RFC 6109 4.3: anything else is said', async () => {
    const daticert = daticertPart(daticertXml(ENVELOPE));
    const postacert = postacertPart(original());
    const cases: [Rope, string][] = [
      [entityOf(daticert, postacert), 'la prima parte del contenuto firmato non è il testo leggibile'],
      [entityOf(TEXT_PART, postacert), 'manca il file daticert.xml'],
      [entityOf(TEXT_PART, daticert), 'manca il file postacert.eml'],
      [
        entityOf(TEXT_PART, daticert, daticert, postacert),
        'il file daticert.xml è presente più di una volta',
      ],
      [
        entityOf(TEXT_PART, daticert, postacert, postacert),
        'il file postacert.eml è presente più di una volta',
      ],
      [
        entityOf(TEXT_PART, daticert.replace('application/xml', 'application/pdf'), postacert),
        'il file daticert.xml non è di tipo application/xml',
      ],
      [
        entityOf(TEXT_PART, daticert, postacert.replace('message/rfc822', 'text/plain')),
        'il file postacert.eml non è di tipo message/rfc822',
      ],
    ];
    for (const [entity, fault] of cases) assert.deepEqual(await envelopeFaults(entity), [fault]);
    const plain = Rope.of('Content-Type: text/plain\r\n\r\nciao\r\n');
    assert.deepEqual(await envelopeFaults(plain), ['il contenuto firmato non è di tipo multipart/mixed']);
    const encoded = postacertPart(original()).replace('7bit', 'base64');
    const faults = await envelopeFaults(entityOf(TEXT_PART, daticert, encoded));
    assert.ok(faults.includes('il file postacert.eml è codificato'));
  });

  test('RFC 6109 4.4: an invalid daticert is said, with the reason', async () => {
    const [fault] = await envelopeFaults(
      entityOf(TEXT_PART, daticertPart('<x/>'), postacertPart(original())),
    );
    assert.match(fault ?? '', /^il file daticert.xml non è valido: ./);
  });

  test('decisions 5: X-Trasporto disagrees with daticert', async () => {
    assert.deepEqual(await envelopeFaults(envelopeEntity(DELIVERED)), [
      'il campo X-Trasporto vale "posta-certificata" ma i dati di certificazione sono di tipo avvenuta-consegna',
    ]);
  });

  test("decisions 5: the envelope's Message-ID is not the identificativo", async () => {
    const fault = "il Message-ID della busta non coincide con l'identificativo";
    const other = replaced(OUTER, 'Message-ID', 'Message-ID: <altro@pec.alfa.example>');
    assert.deepEqual(await envelopeFaults(envelopeEntity(), other), [fault]);
    assert.deepEqual(await envelopeFaults(envelopeEntity(), replaced(OUTER, 'Message-ID')), [fault]);
    assert.deepEqual(await envelopeFaults(envelopeEntity(), [...OUTER, 'Message-ID: <b@c>']), [fault]);
  });

  test('decisions 5: MAIL FROM is not the certified sender', async () => {
    assert.deepEqual(await envelopeFaults(envelopeEntity(), OUTER, 'altri@pec.alfa.example'), [
      `il mittente certificato ${SENDER} non coincide con il mittente della trasmissione altri@pec.alfa.example`,
    ]);
  });

  test('decisions 5: where MAIL FROM is no longer known it is not asked for', async () => {
    const read = await readEnvelope(await headerOf(...OUTER), envelopeEntity(), undefined);
    assert.deepEqual(read.faults, []);
  });

  test("decisions 5: postacert's Message-ID is not the identificativo", async () => {
    assert.deepEqual(await envelopeFaults(envelopeEntity({}, original('altro@pec.alfa.example'))), [
      "il Message-ID del file postacert.eml non coincide con l'identificativo",
    ]);
  });

  test('decisions 5: a Message-ID of the client left beside the PEC one is borne', async () => {
    const message = original(IDENTIFICATIVO, 'Message-ID: <1@client.example>');
    assert.deepEqual(await envelopeFaults(envelopeEntity({}, message)), []);
  });

  test('RFC 6109 3.1.5: From says on whose behalf', async () => {
    const cases: [string, boolean][] = [
      [`"Per conto di: Mario Rossi <${SENDER}>" <${SERVICE}>`, true],
      [`"PER CONTO DI:${SENDER.toUpperCase()}" <${SERVICE}>`, true],
      [`=?iso-8859-1?Q?Per_conto_di=3A_${SENDER.replace('@', '=40')}?= <${SERVICE}>`, true],
      [SERVICE, false],
      [`"Per conto di: presidente@governo.example" <${SERVICE}>`, false],
      [`"Per conto di: ${SENDER} presidente@governo.example" <${SERVICE}>`, false],
    ];
    for (const [from, sound] of cases) {
      const faults = await envelopeFaults(envelopeEntity(), replaced(OUTER, 'From', `From: ${from}`));
      assert.deepEqual(
        faults,
        sound ? [] : [`il campo From non ha la forma "Per conto di: ${SENDER}"`],
        from,
      );
    }
  });

  test('RFC 6109 4.4: ricevuta is asked of an envelope, an error is not expected', async () => {
    assert.deepEqual(await envelopeFaults(envelopeEntity({ tail: '' })), [
      "manca l'elemento ricevuta nei dati di tipo posta-certificata",
    ]);
    assert.deepEqual(await envelopeFaults(envelopeEntity({ errore: 'altro' })), [
      "i dati di certificazione di tipo posta-certificata dichiarano l'errore altro",
    ]);
  });

  test('decisions 5: daticert beats X-TipoRicevuta, which may disagree, be oddly written or absent', async () => {
    for (const line of ['X-Tiporicevuta: sintetica', 'X-TipoRicevuta: breve', 'X-Altro: si']) {
      const read = await readEnvelope(await headerOf(...OUTER, line), envelopeEntity(), SENDER);
      assert.deepEqual(read.faults, []);
      assert.equal(read.daticert?.ricevuta, 'completa');
    }
  });
});

describe('the form of a notification', () => {
  const about = `<consegna>${RECIPIENT}</consegna>`;

  test('every kind with what it must say', async () => {
    const kinds: Facts[] = [
      { tipo: 'accettazione' },
      { tipo: 'non-accettazione', errore: 'altro', tail: '<errore-esteso>no</errore-esteso>' },
      { tipo: 'presa-in-carico', tail: `<ricezione>${RECIPIENT}</ricezione>` },
      DELIVERED,
      { tipo: 'avvenuta-consegna', tail: about },
      { tipo: 'errore-consegna', errore: 'no-dest', tail: about },
      {
        tipo: 'errore-consegna',
        errore: 'altro',
        tail: `${about}<errore-esteso>5.1.1 - X - y</errore-esteso>`,
      },
      { tipo: 'errore-consegna', tail: about },
      { tipo: 'preavviso-errore-consegna', tail: about },
      { tipo: 'rilevazione-virus', errore: 'altro', tail: about },
    ];
    for (const facts of kinds) assert.deepEqual(await notificationFaults(facts), [], facts.tipo);
  });

  test('RFC 6109 4.4: a missing element is said', async () => {
    const kinds = ['avvenuta-consegna', 'errore-consegna', 'preavviso-errore-consegna', 'rilevazione-virus'];
    for (const tipo of kinds) {
      assert.deepEqual(await notificationFaults({ tipo }), [
        `manca l'elemento consegna nei dati di tipo ${tipo}`,
      ]);
    }
    assert.deepEqual(await notificationFaults({ tipo: 'presa-in-carico' }), [
      "manca l'elemento ricezione nei dati di tipo presa-in-carico",
    ]);
  });

  test('decisions 5: X-Ricevuta disagrees with daticert', async () => {
    assert.deepEqual(await notificationFaults(DELIVERED, 'errore-consegna'), [
      'il campo X-Ricevuta vale "errore-consegna" ma i dati di certificazione sono di tipo avvenuta-consegna',
    ]);
    assert.equal((await notificationFaults(ENVELOPE, 'posta-certificata')).length, 1);
  });

  test('a consegna may carry postacert, which then bears the identificativo', async () => {
    assert.deepEqual(await notificationFaults(DELIVERED, DELIVERED.tipo, postacertPart(original())), []);
    assert.deepEqual(await notificationFaults(DELIVERED, DELIVERED.tipo, postacertPart(original('a@b'))), [
      "il Message-ID del file postacert.eml non coincide con l'identificativo",
    ]);
  });

  test('decisions 29: a virus notice does not carry the original', async () => {
    const facts = { tipo: 'rilevazione-virus', errore: 'virus', tail: about };
    assert.deepEqual(await notificationFaults(facts, facts.tipo, postacertPart(original())), [
      'il messaggio originale non è ammesso in un avviso di tipo rilevazione-virus',
    ]);
  });

  test('a consegna that declares an error contradicts itself', async () => {
    assert.equal((await notificationFaults({ ...DELIVERED, errore: 'no-dest' })).length, 1);
  });
});

describe("a peer's anomaly envelope", () => {
  test('decisions 8: passes when it certifies nothing', async () => {
    assert.deepEqual((await readAnomaly((await anomaly()).entity)).faults, []);
  });

  test('decisions 5: an envelope under another name does not pass', async () => {
    assert.deepEqual((await readAnomaly(envelopeEntity())).faults, [
      'una busta di anomalia non contiene dati di certificazione',
    ]);
  });
});

const outerOf = (composed: Composed): Promise<Header> => readHeader(Rope.of(composed.header, '\r\n'));

describe('what this gestore composes', () => {
  test('has no fault', async () => {
    for (const [name, composed] of await everyKind()) {
      const outer = await outerOf(composed);
      if (name === 'anomalia') continue;
      const read =
        name === 'busta'
          ? await readEnvelope(outer, composed.entity, certified.sender)
          : await readNotification(outer, composed.entity);
      assert.deepEqual(read.faults, [], name);
      assert.equal(read.daticert?.gestoreEmittente, provider.name);
      assert.equal(read.daticert?.identificativo, certified.identificativo);
    }
  });

  test('the same out of a source, piece by piece', async () => {
    const bytes = await (await envelope()).entity.bytes();
    const source = {
      length: bytes.length,
      read: async (offset: number, length: number) => bytes.subarray(offset, offset + length),
    };
    const read = await readEnvelope(await outerOf(await envelope()), Rope.of(source), certified.sender);
    assert.deepEqual(read.faults, []);
    assert.match((await read.postacert?.bytes())?.toString('latin1') ?? '', /--confine--\r\n$/);
  });
});

describe('properties', () => {
  test('a failing source is passed on, not taken for a fault', async () => {
    const broken = Rope.of({ length: 100, read: () => Promise.reject(new Error('disk')) });
    await assert.rejects(readEnvelope(await headerOf(...OUTER), broken, SENDER), /disk/);
  });

  test('never throws on random entities, and finds a fault in each', async () => {
    const outer = await headerOf(...OUTER);
    const piece = fc.oneof(
      fc.constantFrom(
        'Content-Type: multipart/mixed; boundary="----------=_1"\r\n\r\n',
        '--',
        '------------=_1\r\n',
        '------------=_1--\r\n',
        'Content-Type: application/xml; name="daticert.xml"\r\n',
        'Content-Transfer-Encoding: base64\r\n',
        'Content-Type: message/rfc822; name="postacert.eml"\r\n',
        '\r\n',
        '<postacert tipo="posta-certificata">',
      ),
      fc.string({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 20 }), fc.string(), async (pieces, mailFrom) => {
        const entity = Rope.of(Buffer.from(pieces.join(''), 'latin1'));
        assert.notDeepEqual((await readEnvelope(outer, entity, mailFrom)).faults, []);
        assert.notDeepEqual((await readNotification(outer, entity)).faults, []);
        await readAnomaly(entity);
      }),
    );
  });

  test('never throws on a sound entity with octets changed', async () => {
    const outer = await headerOf(...OUTER);
    const sound = await envelopeEntity().bytes();
    const change = fc.tuple(fc.nat(sound.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 10 }), async (changes) => {
        const bytes = Buffer.from(sound);
        for (const [at, octet] of changes) bytes[at] = octet;
        await readEnvelope(outer, Rope.of(bytes), SENDER);
      }),
    );
  });
});
