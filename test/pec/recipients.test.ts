import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  addressKey,
  certifiedRecipients,
  distinctAddresses,
  domainOf,
  isValidAddress,
  sameAddress,
} from '../../src/pec/recipients.js';

describe('addresses', () => {
  test('compare in ASCII lower case, and nothing more', () => {
    assert.ok(sameAddress('Mario@PEC.Alfa.Example', 'mario@pec.alfa.example'));
    assert.ok(!sameAddress('K@x.example', '\u212a@x.example'));
    assert.equal(addressKey('É@X.it'), 'É@x.it');
  });

  test('have a lower-case domain', () => {
    assert.equal(domainOf('a@B.Example'), 'b.example');
    assert.equal(domainOf('"a@b"@C.example'), 'c.example');
    assert.equal(domainOf('nessuno'), '');
  });

  test('decisions 14: once each, case kept, in order', () => {
    assert.deepEqual(distinctAddresses(['Anna@x.it', 'b@x.it', 'ANNA@X.IT']), ['Anna@x.it', 'b@x.it']);
  });

  test('decisions 14: destinatari are the accepted RCPTs, certified or external by directory', () => {
    const managed = (domain: string): boolean => domain === 'pec.beta.example';
    assert.deepEqual(
      certifiedRecipients(['Anna@PEC.beta.example', 'x@mail.example', 'anna@pec.beta.example'], managed),
      [
        { address: 'Anna@PEC.beta.example', kind: 'certificato' },
        { address: 'x@mail.example', kind: 'esterno' },
      ],
    );
  });

  test('valid ones', () => {
    for (const address of [
      "o'brien+pec@x.it",
      'a.b_c@sub.dominio.example',
      'x@xn--caff-dma.example',
      'a@1x.it',
    ]) {
      assert.ok(isValidAddress(address), address);
    }
  });

  test('refused ones', () => {
    const refused = [
      '',
      '@',
      'a',
      'a@',
      '@x.it',
      'a@b',
      'a..b@x.it',
      '.a@x.it',
      'a.@x.it',
      'a b@x.it',
      '"a b"@x.it',
      'a@[127.0.0.1]',
      'a@127.0.0.1',
      'a@x..it',
      'a@-x.it',
      'a@x-.it',
      'a@x.it.',
      'caffè@x.it',
      'a@caffè.it',
      'a@x_y.it',
      'a@b@x.it',
      '<a@x.it>',
      'a@x.it\r\nRCPT',
      `${'a'.repeat(65)}@x.it`,
      `a@${'b'.repeat(64)}.it`,
      `a@${'b.'.repeat(130)}it`,
    ];
    for (const address of refused) assert.ok(!isValidAddress(address), address);
  });

  test('a valid one is printable ASCII without white space', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (local, domain) => {
        const address = `${local}@${domain}.it`;
        if (isValidAddress(address)) assert.match(address, /^[\x21-\x7e]+$/);
      }),
    );
  });
});
