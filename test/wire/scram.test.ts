import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  readClientFinal,
  readClientFirst,
  writeServerFinal,
  writeServerFirst,
} from '../../src/wire/sasl/index.js';

const first = (text: string) => readClientFirst(Buffer.from(text));
const final = (text: string) => readClientFinal(Buffer.from(text));

describe('the messages of SCRAM (RFC 5802 7)', () => {
  it('reads the example of RFC 7677 3', () => {
    assert.deepEqual(first('n,,n=user,r=rOprNGfwEbeRWgbNEkqO'), {
      binding: { kind: 'none' },
      authorization: '',
      user: 'user',
      nonce: 'rOprNGfwEbeRWgbNEkqO',
      header: 'n,,',
      bare: 'n=user,r=rOprNGfwEbeRWgbNEkqO',
    });
    const read = final('c=biws,r=abc%x,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=');
    assert.equal(read?.binding.toString(), 'n,,');
    assert.equal(read?.nonce, 'abc%x');
    assert.equal(read?.withoutProof, 'c=biws,r=abc%x');
    assert.equal(read?.proof.length, 32);
  });

  it('reads bindings, names with escapes, whom to act for, and passes extensions over', () => {
    assert.deepEqual(first('y,a=b=2Cc=3D,n=x=3D=2C,r=n,z=later')?.binding, { kind: 'unoffered' });
    const full = first('p=tls-exporter,a=b=2Cc=3D,n=x=3D=2C,r=n,z=later,q=1=2');
    assert.deepEqual(full?.binding, { kind: 'used', name: 'tls-exporter' });
    assert.deepEqual([full?.authorization, full?.user], ['b,c=', 'x=,']);
    assert.equal(full?.header, 'p=tls-exporter,a=b=2Cc=3D,');
    assert.equal(full?.bare, 'n=x=3D=2C,r=n,z=later,q=1=2');
    assert.equal(final('c=biws,r=n,z=1,p=AAAA')?.withoutProof, 'c=biws,r=n,z=1');
  });

  it('takes nothing else', () => {
    for (const text of [
      '',
      'n',
      'n,,',
      'n,,n=user',
      'x,,n=user,r=n',
      'p=,,n=user,r=n',
      'p=a_b,,n=user,r=n',
      'N,,n=user,r=n',
      'n,user,n=user,r=n',
      'n,a=,n=user,r=n',
      'n,,n=,r=n',
      'n,,n=a=2c,r=n',
      'n,,n=a=,r=n',
      'n,,n=a\0b,r=n',
      'n,,r=n,n=user',
      // A mandatory extension that nobody knows (RFC 5802 5.1, m).
      'n,,m=x,n=user,r=n',
      'n,,n=user,r=',
      'n,,n=user,r=a b',
      'n,,n=user,r=à',
      `n,,n=user,r=${'n'.repeat(513)}`,
      `n,,n=${'u'.repeat(5000)},r=n`,
      'n,,n=user,r=n,',
      'n,,n=user,r=n,zz',
    ])
      assert.equal(first(text), undefined, text);
    assert.equal(readClientFirst(Buffer.from('n,,n=\xff,r=n', 'latin1')), undefined);
    for (const text of [
      '',
      'c=biws',
      'c=biws,r=n',
      'r=n,c=biws,p=AAAA',
      'c=biws,p=AAAA',
      'c=bi ws,r=n,p=AAAA',
      'c=biw,r=n,p=AAAA',
      'c=biws,r=n,p=AAA',
      'c=biws,r=n,p=AAAA,z=1',
      'c=biws,r=n,z,p=AAAA',
      `c=biws,r=n,z=${'x'.repeat(5000)},p=AAAA`,
    ])
      assert.equal(final(text), undefined, text);
  });

  it('gives back what it was given, and survives anything', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (user) => {
        fc.pre(!user.includes('\0') && Buffer.from(user).toString() === user);
        const name = user.replaceAll('=', '=3D').replaceAll(',', '=2C');
        assert.equal(first(`n,,n=${name},r=x`)?.user, user);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        const text = Buffer.from(octets);
        const read = readClientFirst(text);
        if (read !== undefined) assert.equal(read.header + read.bare, text.toString());
        const last = readClientFinal(text);
        if (last !== undefined) assert.ok(text.toString().startsWith(`${last.withoutProof},p=`));
      }),
    );
  });

  it('writes the server\u2019s', () => {
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    assert.equal(
      writeServerFirst({ nonce: 'ab', salt, iterations: 4096 }),
      'r=ab,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    );
    assert.equal(writeServerFinal(Buffer.from([1, 2])), 'v=AQI=');
  });
});
