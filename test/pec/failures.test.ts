import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type LocalCause, localFailure, smtpFailure } from '../../src/pec/failures.js';

const G = 'Alfa PEC S.p.A.';

describe('failures and what errore-consegna says of them', () => {
  test('decisions 11: unknown mailbox 5.1.1 is no-dest', () => {
    const expected = { errore: 'no-dest', reason: '5.1.1 - Alfa PEC S.p.A. - indirizzo non valido' };
    assert.deepEqual(smtpFailure({ enhanced: '5.1.1' }, G), expected);
    assert.deepEqual(smtpFailure({ text: '5.1.1 no such user' }, G), expected);
    assert.deepEqual(smtpFailure({ text: '550 5.1.1 <x@y>: User unknown' }, G), expected);
    assert.deepEqual(localFailure('unknown-mailbox', G), expected);
    assert.deepEqual(localFailure('revoked-mailbox', G), expected);
  });

  test('decisions 11: absent domain 5.1.2 is no-dominio', () => {
    const expected = { errore: 'no-dominio', reason: '5.1.2 - Alfa PEC S.p.A. - dominio non valido' };
    assert.deepEqual(smtpFailure({ enhanced: '5.1.2' }, G), expected);
    assert.deepEqual(localFailure('absent-domain', G), expected);
  });

  test('decisions 11: anything else is altro', () => {
    assert.deepEqual(smtpFailure({ text: '550 no' }, G), {
      errore: 'altro',
      reason: '5.0.0 - Alfa PEC S.p.A. - messaggio rifiutato dal sistema del destinatario',
    });
    assert.deepEqual(smtpFailure({ enhanced: '5.7.1' }, G), {
      errore: 'altro',
      reason: '5.7.1 - Alfa PEC S.p.A. - messaggio rifiutato dalle regole del sistema del destinatario',
    });
    assert.equal(smtpFailure({ text: '5.1.12 strange' }, G).errore, 'altro');
    assert.equal(smtpFailure({ text: 'no 5.1.1 here' }, G).errore, 'altro');
  });

  test('decisions 20: an envelope to an unknown mailbox ends in no-dest, to a full one in altro', () => {
    assert.equal(localFailure('unknown-mailbox', G).errore, 'no-dest');
    assert.equal(localFailure('full-mailbox', G).errore, 'altro');
  });

  test('Nota 12: full, suspended and unreachable', () => {
    const expected: [LocalCause, string][] = [
      ['full-mailbox', '5.2.2 - Alfa PEC S.p.A. - casella piena'],
      ['suspended-mailbox', '5.2.1 - Alfa PEC S.p.A. - casella disattivata'],
      ['unreachable', '5.4.1 - Alfa PEC S.p.A. - sistema del destinatario non raggiungibile'],
    ];
    for (const [cause, reason] of expected)
      assert.deepEqual(localFailure(cause, G), { errore: 'altro', reason });
  });

  test('every failure is a class 5 status, the gestore and a description', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (enhanced, text) => {
        const { errore, reason } = smtpFailure({ enhanced, text }, G);
        assert.match(reason, /^5\.\d{1,3}\.\d{1,3} - Alfa PEC S\.p\.A\. - \S/);
        assert.equal(errore === 'no-dest', reason.startsWith('5.1.1 '));
      }),
    );
  });
});
