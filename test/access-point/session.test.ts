import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hashNewPassword } from '../../src/accounts/password.js';
import { replyFor } from '../../src/smtp/index.js';
import { StoreConflict, StoreUnavailable } from '../../src/storage/index.js';
import { aboutId, labels } from '../support/notices.js';
import { sharedPair } from '../support/pair.js';
import { HOUR, type Point } from '../support/points.js';

/** Everything durable a submission could leave behind. */
async function traces(point: Point, mailbox: string): Promise<readonly number[]> {
  return [(await point.inbox(mailbox)).length, (await point.events()).length, (await point.queue()).length];
}

const refused = (code: number, enhanced: string) => ({ name: 'SmtpError', code, enhanced });

describe('access point: the session', () => {
  const here = sharedPair({ alfa: { receiptsReserve: 1000 } });
  const anna = 'anna@pec.alfa.example';
  const bruno = 'bruno@pec.beta.example';

  it('decisions 13: a login gives the mailbox, also by an alias; a wrong one or a revoked mailbox nobody', async () => {
    const { alfa } = here();
    const passwordHash = await hashNewPassword('parola-segreta');
    await alfa.addMailbox('ada@pec.alfa.example');
    await alfa.store.write('setMailbox', { address: 'ada@pec.alfa.example', passwordHash });
    await alfa.accounts.addAlias('ada.lovelace@pec.alfa.example', 'ada@pec.alfa.example');
    const login = (username: string, password: string) =>
      alfa.submission.authenticate?.({ method: 'PLAIN', username, password, remoteAddress: '192.0.2.7' });
    assert.equal((await login('ada@pec.alfa.example', 'parola-segreta'))?.address, 'ada@pec.alfa.example');
    assert.equal(
      (await login('ADA.Lovelace@pec.alfa.example', 'parola-segreta'))?.address,
      'ada@pec.alfa.example',
    );
    assert.equal(await login('ada@pec.alfa.example', 'sbagliata'), undefined);
    assert.equal(await login('nessuno@pec.alfa.example', 'parola-segreta'), undefined);
    await alfa.setMailbox('ada@pec.alfa.example', { state: 'revoked' });
    assert.equal(await login('ada@pec.alfa.example', 'parola-segreta'), undefined);
  });

  it('decisions 13: an empty MAIL FROM, or one that is not the user\u2019s, is an SMTP error and leaves nothing', async () => {
    const { alfa } = here();
    const before = await traces(alfa, anna);
    const send = (mailFrom: string) => alfa.submit({ from: anna, mailFrom, to: [bruno], user: anna });
    await assert.rejects(send(''), refused(550, '5.7.1'));
    await assert.rejects(send('aldo@pec.alfa.example'), refused(553, '5.7.1'));
    await assert.rejects(send('nessuno@pec.alfa.example'), refused(553, '5.7.1'));
    await assert.rejects(send('anna@altrove.example'), refused(553, '5.7.1'));
    await assert.rejects(send(alfa.serviceMailbox), refused(553, '5.7.1'));
    assert.deepEqual(await traces(alfa, anna), before);
  });

  it('decisions 13: bad RCPT syntax is an SMTP error', async () => {
    const { alfa } = here();
    const before = await traces(alfa, anna);
    for (const recipient of [
      'bruno',
      'bruno@',
      '@pec.beta.example',
      'a b@c.example',
      '"x y"@c.example',
      'x@[192.0.2.1]',
      'x@y',
    ]) {
      await assert.rejects(alfa.submit({ from: anna, to: [recipient] }), refused(553, '5.1.3'), recipient);
    }
    assert.deepEqual(await traces(alfa, anna), before);
  });

  it('decisions 13: nobody is admitted without a login', async () => {
    const { alfa } = here();
    const stranger = {
      id: 'S',
      remoteAddress: '192.0.2.9',
      remotePort: 1,
      localPort: 465,
      helo: 'x',
      protocol: 'ESMTPS',
    };
    await assert.rejects(alfa.submission.mailFrom(anna, stranger), refused(550, '5.7.1'));
  });

  it('an alias is the user\u2019s address, in any case; the notices go to its mailbox', async () => {
    const { alfa } = here();
    await alfa.accounts.addAlias('segreteria@pec.alfa.example', anna);
    const id = await alfa.submit({ from: 'Segreteria@PEC.alfa.example', to: [bruno], user: anna });
    assert.deepEqual(labels(aboutId(await alfa.inbox(anna), id)), ['accettazione']);
    const outgoing = await alfa.store.read('findOutgoing', { identificativo: id });
    assert.equal(outgoing?.sender, 'Segreteria@PEC.alfa.example');
  });

  it('a suspended holder may not send, and a revoked one not even with the session open', async () => {
    const { alfa } = here();
    for (const state of ['suspended', 'revoked'] as const) {
      const address = `${state}@pec.alfa.example`;
      await alfa.addMailbox(address, { state });
      await assert.rejects(alfa.submit({ from: address, to: [bruno] }), refused(550, '5.7.1'));
    }
  });

  it('decisions 9: with the reserve spent submissions get 452; before that, a full mailbox may send', async () => {
    const { alfa } = here();
    const full = 'piena@pec.alfa.example';
    await alfa.addMailbox(full, { quota: 1 });
    const id = await alfa.submit({ from: full, to: [bruno] });
    assert.deepEqual(labels(aboutId(await alfa.inbox(full), id)), ['accettazione'], 'stored past the quota');
    assert.ok((await alfa.mailbox(full)).used > 1001);
    const before = await traces(alfa, full);
    await assert.rejects(alfa.submit({ from: full, to: [bruno] }), refused(452, '4.2.2'));
    const { used } = await alfa.mailbox(full);
    await alfa.setMailbox(full, { quota: used - 1000 });
    await assert.rejects(
      alfa.submit({ from: full, to: [bruno] }),
      refused(452, '4.2.2'),
      'spent to the last octet',
    );
    assert.deepEqual(await traces(alfa, full), before);
    await alfa.setMailbox(full, { quota: used - 999 });
    await alfa.submit({ from: full, to: [bruno] });
  });
});

describe('access point: what fails leaves nothing and is a temporary error', () => {
  const here = sharedPair();
  const anna = 'anna@pec.alfa.example';
  const bruno = 'bruno@pec.beta.example';

  const failing = async (point: Point, breakIt: () => void, mend: () => void): Promise<unknown> => {
    const before = await traces(point, anna);
    breakIt();
    try {
      await point.submit({ from: anna, to: [bruno] });
    } catch (error) {
      mend();
      assert.deepEqual(await traces(point, anna), before, 'nothing was written');
      assert.equal(replyFor(error).code, 451);
      await point.submit({ from: anna, to: [bruno] });
      return error;
    }
    mend();
    return assert.fail('the submission went through');
  };

  it('antivirus unavailable', async () => {
    const { alfa } = here();
    const set = (down: boolean) => () => {
      alfa.switches.antivirusDown = down;
    };
    const error = await failing(alfa, set(true), set(false));
    assert.ok(error instanceof Error && error.name === 'AntivirusUnavailable');
  });

  it('signer failing', async () => {
    const { alfa } = here();
    const set = (down: boolean) => () => {
      alfa.switches.signerDown = down;
    };
    await failing(alfa, set(true), set(false));
  });

  it('store unavailable at the commit', async () => {
    const { alfa } = here();
    const set = (on: boolean) => () => {
      alfa.switches.beforeWrite = on
        ? (name) => {
            if (name === 'commitSubmission') throw new StoreUnavailable('full', 'disk full');
          }
        : undefined;
    };
    await failing(alfa, set(true), set(false));
  });

  it('store unavailable when the directory is asked', async () => {
    const { alfa } = here();
    const set = (on: boolean) => () => {
      alfa.switches.beforeRead = on
        ? (name) => {
            if (name === 'directoryMark') throw new StoreUnavailable('locked', 'locked');
          }
        : undefined;
    };
    await failing(alfa, set(true), set(false));
  });

  it('a mailbox suspended between the check and the commit: nothing is accepted, and then it is refused for good', async () => {
    const { alfa } = here();
    const address = 'sospesa@pec.alfa.example';
    await alfa.addMailbox(address);
    const before = await traces(alfa, address);
    alfa.switches.beforeWrite = async (name) => {
      if (name !== 'commitSubmission') return;
      alfa.switches.beforeWrite = undefined;
      await alfa.setMailbox(address, { state: 'suspended' });
    };
    await assert.rejects(
      alfa.submit({ from: address, to: [bruno] }),
      (error) => error instanceof StoreConflict && error.what === 'mailbox' && replyFor(error).code === 451,
    );
    assert.deepEqual(await traces(alfa, address), before);
    await assert.rejects(alfa.submit({ from: address, to: [bruno] }), refused(550, '5.7.1'));
  });

  it('a failed refusal leaves nothing either', async () => {
    const { alfa } = here();
    alfa.switches.beforeWrite = (name) => {
      if (name === 'commitRefusal') throw new StoreUnavailable('full', 'disk full');
    };
    const before = await traces(alfa, anna);
    await assert.rejects(alfa.submit({ from: anna, to: [bruno], fields: ['Bcc: x@y.example'] }), {
      name: 'StoreUnavailable',
    });
    alfa.switches.beforeWrite = undefined;
    assert.deepEqual(await traces(alfa, anna), before);
  });

  it('a header past every limit is a permanent error, not a message tried for ever', async () => {
    const { alfa } = here();
    const fields = Array.from({ length: 5000 }, (_, index) => `X-Campo-${index}: ${'v'.repeat(60)}`);
    const before = await traces(alfa, anna);
    await assert.rejects(
      alfa.submit({ from: anna, to: [bruno], fields }),
      (error) => replyFor(error).code === 554,
    );
    assert.deepEqual(await traces(alfa, anna), before);
  });

  it('a large message passes through the spool: its bytes are kept once', async () => {
    const { alfa, beta, network, clock } = here();
    const body = `${'una riga di testo lunga abbastanza\r\n'.repeat(60_000)}`;
    const id = await alfa.submit({ from: anna, to: [bruno], body, subject: 'Grande' });
    await network.pump();
    const [envelope] = aboutId(await beta.inbox(bruno), id);
    assert.ok(envelope?.bytes.includes(body));
    const [, consegna] = aboutId(await alfa.inbox(anna), id);
    assert.ok(consegna?.bytes.includes(body), 'the complete receipt brings it back');
    clock.advance(HOUR);
    await alfa.store.sweep({ now: clock.now });
    assert.ok(aboutId(await alfa.inbox(anna), id)[1]?.bytes.includes(body), 'the sweeper leaves it alone');
  });
});
