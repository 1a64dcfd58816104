import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keywordOf } from '../../src/pec/index.js';
import { SilenceNotices } from '../../src/timers/index.js';
import { errore, from, noticeFrom } from '../incoming-point/answers-of-beta.js';
import { anna, bruno } from '../incoming-point/arrivals.js';
import { EICAR } from '../support/eicar.js';
import { label } from '../support/notices.js';
import { sharedPair } from '../support/pair.js';
import { DAY, type Point } from '../support/points.js';

/** Every different message of a mailbox: what it is, without recipients and faults, and its flags. */
async function kinds(point: Point, address: string): Promise<string[]> {
  const messages = await point.inbox(address);
  const told = messages.map((message) => {
    const [what = ''] = label(message).split(/[ /]/);
    return `${what}: ${message.flags.join(' ')}`;
  });
  return [...new Set(told)].sort();
}

describe('keywords set at delivery', () => {
  const here = sharedPair({ beta: { ordinaryMail: 'anomaly' } });

  it('every kind of message has its own, in its user\u2019s mailbox and in the service mailbox', async () => {
    const { alfa, beta, network, clock } = here();
    const letter = { from: anna, to: [bruno] };
    await alfa.submit(letter);
    await alfa.submit({ from: anna, to: ['nessuno@pec.beta.example'] });
    await network.pump();
    await alfa.submit({ ...letter, body: `${EICAR}\r\n` });
    const raw = `From: mario@gmail.example\r\nTo: ${bruno}\r\nSubject: Offerta\r\n\r\nciao\r\n`;
    await beta.receive({
      mailFrom: 'mario@gmail.example',
      recipients: [bruno],
      message: Buffer.from(raw),
    });
    // Two that never arrive: one is told of by the timers, one by beta as infected.
    await alfa.submit(letter);
    const id = await alfa.submit(letter);
    const message = await noticeFrom(here(), id, {
      kind: 'rilevazione-virus',
      recipient: bruno,
      virus: 'Eicar',
    });
    await alfa.receive({ mailFrom: from, recipients: [alfa.serviceMailbox], message });
    clock.advance(DAY);
    const { store, issuer, telemetry } = alfa;
    await new SilenceNotices({ store, issuer, telemetry, clock: clock.read }).issueDue();

    assert.deepEqual(await kinds(alfa, anna), [
      'accettazione: $Accettazione',
      'avvenuta-consegna: $Consegna',
      'errore-consegna: $MancataConsegna',
      'non-accettazione: $NonAccettazione',
      'preavviso-errore-consegna: $MancataConsegna',
    ]);
    assert.deepEqual(await kinds(beta, bruno), [
      'anomalia: $Anomalia',
      'posta-certificata: $PostaCertificata',
    ]);
    assert.deepEqual(await kinds(alfa, alfa.serviceMailbox), [
      'presa-in-carico: $PresaInCarico',
      'rilevazione-virus: $Virus',
    ]);
  });

  it('a notification that counts for nothing is no receipt: it has the anomaly\u2019s', async () => {
    const { alfa } = here();
    const before = (await alfa.inbox(anna)).length;
    const id = await alfa.submit({ from: anna, to: [bruno] });
    const notice = await noticeFrom(here(), id, errore());
    await alfa.receive({ mailFrom: from, recipients: [anna], message: notice });
    await alfa.receive({
      mailFrom: from,
      recipients: [anna],
      message: await noticeFrom(here(), id, errore('altro@pec.beta.example')),
    });
    const flags = (await alfa.inbox(anna)).slice(before).map((message) => message.flags);
    assert.deepEqual(flags, [[keywordOf('accettazione')], [keywordOf('errore-consegna')], ['$Anomalia']]);
  });
});
