import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Note } from '../support/notes.js';
import { Journal } from './journal.js';
import { MailboxLedger, type Submission } from './ledger.js';
import { compareMailboxes } from './oracle.js';
import { outside, refusedOutside, unknown, type World } from './world.js';

const ID = 'ceralacca1.1@pec.alfa.example';
const MARKER = 'giro anna.1';
const ANNA = 'anna@pec.alfa.example';
const BRUNO = 'bruno@pec.beta.example';
const SERVICE = 'ricevute@pec.alfa.example';
const [NOBODY = ''] = unknown;
const [MARIO = ''] = outside;
const TO = [BRUNO, NOBODY, MARIO, refusedOutside];

let uids = 0;
const note = (kind: string, some: Partial<Note> = {}): Note => ({
  uid: String(++uids),
  hash: String(uids),
  kind,
  identificativo: ID,
  subject: MARKER,
  destinatari: [],
  consegna: undefined,
  ricezione: [],
  errore: 'nessuno',
  body: undefined,
  failed: [],
  ...some,
});

const accettazione = (some: Partial<Note> = {}): Note =>
  note('accettazione', { destinatari: TO.map((address) => `certificato ${address}`), ...some });
const consegna = note('avvenuta-consegna', { consegna: BRUNO });
const errore = note('errore-consegna', { consegna: NOBODY, errore: 'no-dest' });
const copy = note('posta-certificata', { body: 'body' });
const presa = note('presa-in-carico', { ricezione: [BRUNO, NOBODY] });
const dsn = note('anomalia', { failed: [refusedOutside] });

/** What there is after one submission, as it shall be, or with something else in its place. */
interface Scene {
  readonly told?: Partial<Submission>;
  readonly anna?: readonly Note[];
  readonly bruno?: readonly Note[];
  readonly service?: readonly Note[];
  readonly delivered?: readonly string[];
}

const whole = [accettazione(), consegna, errore, dsn];

function complaints(scene: Scene): string[] {
  const submission: Submission = {
    marker: MARKER,
    sender: ANNA,
    to: TO,
    fault: 'none',
    body: 'body',
    octets: 1000,
    at: 0,
    answer: 'accepted',
    identificativo: ID,
    ...scene.told,
  };
  const mailboxes = new Map<string, MailboxLedger>();
  for (const [address, notes] of [
    [ANNA, scene.anna ?? whole],
    [BRUNO, scene.bruno ?? [copy]],
    [SERVICE, scene.service ?? [presa]],
  ] as const) {
    const ledger = new MailboxLedger(address);
    for (const one of notes) ledger.read(one);
    mailboxes.set(address, ledger);
  }
  const world = {
    pair: { alfa: { address: (local: string) => `${local}@pec.alfa.example` } },
    journal: new Journal(),
    submissions: [submission],
    mailboxes,
    delivered: scene.delivered ?? [`${MARKER} ${MARIO}`],
  } as unknown as World;
  return compareMailboxes(world).map((text) => text.split('\n')[0] ?? '');
}

const nothing: Scene = { anna: [], bruno: [], service: [], delivered: [] };
const lost = { answer: 'lost' } as const;
const without = (gone: Note): Note[] => whole.filter((one) => one !== gone);

const cases: readonly (readonly [string, Scene, readonly RegExp[]])[] = [
  ['a message with everything it must have', {}, []],
  ['ordinary mail that came twice', { delivered: [`${MARKER} ${MARIO}`, `${MARKER} ${MARIO}`] }, []],
  ['a submission that was lost with its connection', { ...nothing, told: lost }, []],
  ['one that was accepted all the same', { told: lost }, []],
  ['a virus', { ...nothing, told: { fault: 'virus' }, anna: [note('non-accettazione')] }, []],
  ['a 250 and nothing else', nothing, [/neither accettazione nor/]],
  ['two accettazioni', { anna: [...whole, accettazione({ identificativo: 'x@y' })] }, [/2 promises/]],
  ['another identificativo than the 250 named', { told: { identificativo: 'x@y' } }, [/the 250 named x@y/]],
  ['a refusal that was none', { told: { answer: 'refused' } }, [/refused has its accettazione/]],
  ['a message never sent', { told: { answer: 'unsent' } }, [/unsent has its accettazione/]],
  ['a virus let through', { told: { fault: 'virus' } }, [/where non-accettazione was due/]],
  ['no outcome', { anna: without(consegna) }, [/bruno.* has 0 final outcomes/]],
  [
    'two outcomes',
    { anna: [...whole, note('errore-consegna', { consegna: BRUNO })] },
    [/bruno.* has 2 final outcomes/],
  ],
  ['no copy', { bruno: [] }, [/0 copies/]],
  ['two copies', { bruno: [copy, note('posta-certificata', { body: 'body' })] }, [/2 copies/]],
  ['a copy of other bytes', { bruno: [note('posta-certificata', { body: 'other' })] }, [/other bytes/]],
  ['no presa in carico', { service: [] }, [/taken in charge 0 times/, /taken in charge 0 times/]],
  [
    'a delivery to nobody',
    { anna: [...without(errore), note('avvenuta-consegna', { consegna: NOBODY })] },
    [/avvenuta-consegna .* for nessuno/, /0 copies/],
  ],
  ['ordinary mail that never left', { delivered: [] }, [/nothing reached mario/]],
  ['no DSN', { anna: without(dsn) }, [/0 DSNs/]],
  [
    'half of a submission that was lost',
    { ...nothing, told: lost, bruno: [copy], delivered: [`${MARKER} ${MARIO}`] },
    [/reached the outside/, /bruno.* what nobody has to have/],
  ],
  [
    'something about nothing',
    { anna: [...whole, note('preavviso-errore-consegna', { subject: 'x' })] },
    [/anna.* what nobody has to have: preavviso/],
  ],
];

describe('the comparison of what was told with what is there', () => {
  for (const [what, scene, patterns] of cases) {
    it(what, () => {
      const found = complaints(scene);
      assert.equal(found.length, patterns.length, found.join('\n'));
      for (const [index, pattern] of patterns.entries()) assert.match(found[index] ?? '', pattern);
    });
  }
});

describe('what a POP3 client was told', () => {
  const ledgerOf = (...notes: readonly string[]): MailboxLedger => {
    const ledger = new MailboxLedger(ANNA);
    for (const uid of notes) ledger.read(note('accettazione', { uid, hash: uid }));
    return ledger;
  };

  it('holds as long as every message stays and every deletion too', () => {
    const ledger = ledgerOf('1', '2', '3', '4');
    ledger.gone.add('1');
    ledger.perhapsGone.push(new Set(['2', '3']));
    ledger.listed(['4', '5']);
    ledger.perhapsGone.push(new Set(['4', '5']));
    ledger.listed(['4', '5', '6']);
    assert.deepEqual(ledger.complaints, []);
  });

  const broken: readonly (readonly [string, (ledger: MailboxLedger) => void, RegExp])[] = [
    ['a message vanished', (ledger) => ledger.listed(['1']), /message 2 is gone; nobody deleted it/],
    [
      'a deletion that was undone',
      (ledger) => {
        ledger.gone.add('1');
        ledger.listed(['1', '2']);
      },
      /message 1 is back/,
    ],
    [
      'half a deletion',
      (ledger) => {
        ledger.perhapsGone.push(new Set(['1', '2']));
        ledger.listed(['2']);
      },
      /deleted 1 of 2 messages/,
    ],
    [
      'other bytes under the same id',
      (ledger) => ledger.read(note('accettazione', { uid: '1', hash: 'other' })),
      /message 1 has other bytes/,
    ],
  ];
  for (const [what, happen, pattern] of broken) {
    it(what, () => {
      const ledger = ledgerOf('1', '2');
      happen(ledger);
      assert.match(ledger.complaints[0] ?? 'none', pattern);
    });
  }
});
