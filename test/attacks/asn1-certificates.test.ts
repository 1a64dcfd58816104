/** ASN.1 against the readers of certificates, revocation lists and PEM files, which come from strangers and over plain HTTP. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { readCertificate, readCertificates, readCrls } from '../../src/smime/index.js';
import { subjectAltName } from '../../src/smime/keys/issue-certificate.js';
import { children, encoded, Tag } from '../../src/smime/read/asn1.js';
import { serialOctets } from '../../src/smime/read/certificate.js';
import { der, derOid, derTime } from '../../src/smime/read/der.js';
import { readKeyUsage } from '../../src/smime/read/extensions.js';
import { sameName } from '../../src/smime/read/names.js';
import { toPem } from '../../src/smime/read/pem.js';
import { type Authority, createAuthority, type Identity } from '../support/pki.js';
import { at, type Bytes, by, codeOf, octets, replaced, times, withMore } from './ber.js';

/** What is not linear takes hours at these sizes. */
const LINEAR = { timeout: 240_000 };

let authority: Authority;
let leaf: Identity;
before(async () => {
  authority = await createAuthority();
  leaf = await authority.issue();
});

const extension = (oid: Bytes, value: Bytes): Bytes => der(0x30, oid, der(0x04, value));
const keyUsageOid = derOid('2.5.29.15');
/** A name of one attribute. */
const name = (tag: number, text: Bytes): Bytes =>
  der(0x30, der(0x31, der(0x30, derOid('2.5.4.10'), der(tag, text))));
const issuerOf = (bytes: Bytes) => readCertificate(replaced(leaf.certificate, ISSUER, by(bytes))).issuer;

/** Places in a certificate (RFC 5280 4.1). */
const VERSION = [0, 0];
const SERIAL = [0, 1];
const ISSUER = [0, 3];
const NOT_BEFORE = [0, 4, 0];
const EXTENSIONS = [0, 7, 0];
const SIGNATURE = [2];

const certificates: Readonly<Record<string, readonly [code: string, make: (genuine: Bytes) => Bytes]>> = {
  'a serial number of no octets': ['bad-value', (old) => replaced(old, SERIAL, by(octets(0x02, 0)))],
  'a serial number of 100 octets': [
    'bad-value',
    (old) => replaced(old, SERIAL, by(der(0x02, times(100, octets(1))))),
  ],
  'a version there is not': [
    'unsupported',
    (old) => replaced(old, VERSION, by(der(0xa0, octets(0x02, 1, 3)))),
  ],
  'two versions': ['trailing-bytes', (old) => replaced(old, VERSION, withMore(octets(0x02, 1, 2)))],
  'two lists of extensions': ['trailing-bytes', (old) => replaced(old, [0, 7], withMore(octets(0x30, 0)))],
  'an extension twice': [
    'bad-value',
    (old) => replaced(old, EXTENSIONS, withMore(extension(keyUsageOid, octets(0x03, 2, 7, 0x80)))),
  ],
  'an extension twice, its identifier padded': [
    'bad-value',
    (old) =>
      replaced(
        old,
        EXTENSIONS,
        withMore(extension(octets(0x06, 4, 0x80, 0x55, 0x1d, 0x0f), octets(0x03, 2, 7, 0x80))),
      ),
  ],
  'two algorithms': [
    'bad-value',
    (old) => replaced(old, [1], by(der(0x30, derOid('1.2.840.113549.1.1.11')))),
  ],
  'a signature of half octets': [
    'bad-value',
    (old) => replaced(old, SIGNATURE, by(octets(0x03, 2, 4, 0xf0))),
  ],
  'a signature without its first octet': [
    'bad-value',
    (old) => replaced(old, SIGNATURE, by(octets(0x03, 0))),
  ],
  'a name with a NUL': [
    'bad-value',
    (old) => replaced(old, ISSUER, by(name(0x0c, Buffer.from('Alfa PEC S.p.A.\0.evil.example')))),
  ],
  'a name in two-octet characters with a NUL': [
    'bad-value',
    (old) => replaced(old, ISSUER, by(name(0x1e, octets(0, 65, 0, 0)))),
  ],
  'an address with a NUL': [
    'bad-value',
    (old) => {
      const { value } = subjectAltName({ emails: ['posta-certificata@pec.alfa.example\0.evil.example'] });
      const others = children(at(old, EXTENSIONS))
        .map(encoded)
        .filter((one) => !Buffer.from(one).includes(Buffer.from(derOid('2.5.29.17'))));
      return replaced(old, EXTENSIONS, by(der(0x30, ...others, extension(derOid('2.5.29.17'), value))));
    },
  ],
  'a thirteenth month': [
    'bad-value',
    (old) => replaced(old, NOT_BEFORE, by(der(0x17, Buffer.from('251301000000Z')))),
  ],
  'a time of 1,000 digits': [
    'bad-value',
    (old) => replaced(old, NOT_BEFORE, by(der(0x18, times(1000, octets(0x39))))),
  ],
  'a name of 60 sets in sets': [
    'bad-tag',
    (old) => {
      let bytes: Bytes = octets(5, 0);
      for (let level = 0; level < 60; level++) bytes = der(0x31, bytes);
      return replaced(old, ISSUER, by(der(0x30, bytes)));
    },
  ],
  '70,000 octets': [
    'too-large',
    (old) => replaced(old, EXTENSIONS, withMore(extension(derOid('1.2.3.4'), Buffer.alloc(70_000)))),
  ],
  '100 members': ['too-large', (old) => replaced(old, [], withMore(times(100, octets(5, 0))))],
  'a key of no structure': [
    'truncated',
    (old) =>
      replaced(old, [0, 6], by(der(0x30, der(0x30, derOid('1.2.840.113549.1.1.1')), octets(0x03, 1, 0)))),
  ],
  'an RSA key without a modulus': [
    'truncated',
    (old) =>
      replaced(
        old,
        [0, 6],
        by(der(0x30, der(0x30, derOid('1.2.840.113549.1.1.1')), octets(0x03, 3, 0, 0x30, 0))),
      ),
  ],
};

describe('certificates made to break their reader', () => {
  for (const [what, [code, make]] of Object.entries(certificates)) {
    it(`${what}: ${code}`, () =>
      assert.equal(
        codeOf(() => readCertificate(make(leaf.certificate))),
        code,
      ));
  }

  it('cut short at each octet', () => {
    const { certificate } = leaf;
    for (let length = 0; length < certificate.length; length++)
      assert.equal(
        codeOf(() => readCertificate(certificate.subarray(0, length))),
        'truncated',
        `${length}`,
      );
  });

  it('the padding of a key usage gives no rights', () => {
    assert.deepEqual([...readKeyUsage(octets(0x03, 2, 7, 0xff))], ['digitalSignature']);
    assert.deepEqual([...readKeyUsage(octets(0x03, 1, 0))], []);
    assert.equal(
      codeOf(() => readKeyUsage(octets(0x03, 1, 7))),
      'bad-value',
    );
    assert.equal(
      codeOf(() => readKeyUsage(octets(0x03, 2, 8, 0xff))),
      'bad-value',
    );
  });

  it('names that differ in octets that are no text, or in a mark before it, are different names', () => {
    const plain = issuerOf(name(0x0c, Buffer.from('Alfa')));
    assert.ok(sameName(plain, issuerOf(name(0x13, Buffer.from('ALFA')))));
    const [one, two] = [octets(0x41, 0xff), octets(0x41, 0xfe)].map((text) => issuerOf(name(0x0c, text)));
    assert.ok(one && two && !sameName(one, two));
    assert.ok(!sameName(plain, issuerOf(name(0x0c, Buffer.from('\ufeffAlfa')))));
  });
});

/** Places in a list (RFC 5280 5.1). */
const LIST_VERSION = [0, 0];
const LIST_ISSUER = [0, 2];
const NEXT_UPDATE = [0, 4];
const ENTRIES = [0, 5];
const LIST_EXTENSIONS = [0, 6, 0];

const lists: Readonly<Record<string, readonly [code: string, make: (genuine: Bytes) => Bytes]>> = {
  'a version there is not': ['unsupported', (old) => replaced(old, LIST_VERSION, by(octets(0x02, 1, 2)))],
  'a version of no octets': ['bad-value', (old) => replaced(old, LIST_VERSION, by(octets(0x02, 0)))],
  'no next update': ['unsupported', (old) => replaced(old, NEXT_UPDATE, by(octets()))],
  'an entry without a date': [
    'truncated',
    (old) => replaced(old, ENTRIES, withMore(der(0x30, octets(0x02, 1, 5)))),
  ],
  'an entry without a number': [
    'bad-value',
    (old) => replaced(old, ENTRIES, withMore(der(0x30, octets(0x02, 0), derTime(0)))),
  ],
  'an entry that is none': ['bad-tag', (old) => replaced(old, ENTRIES, withMore(octets(5, 0)))],
  'an entry with a critical extension nobody knows': [
    'unsupported',
    (old) => {
      const unknown = der(0x30, derOid('1.2.3.4'), octets(0x01, 1, 0xff), octets(0x04, 0));
      return replaced(old, ENTRIES, withMore(der(0x30, octets(0x02, 1, 5), derTime(0), der(0x30, unknown))));
    },
  ],
  'the mark of a delta list': [
    'unsupported',
    (old) => replaced(old, LIST_EXTENSIONS, withMore(extension(derOid('2.5.29.27'), octets(0x02, 1, 1)))),
  ],
  'two lists of extensions': ['trailing-bytes', (old) => replaced(old, [0, 6], withMore(octets(0x30, 0)))],
  '4 million members': ['too-large', (old) => replaced(old, [], withMore(times(4_000_000, octets(5, 0))))],
  'a name of 4 MB': [
    'too-large',
    (old) => {
      const attribute = encoded(at(name(0x0c, octets(65)), [0]));
      return replaced(old, LIST_ISSUER, by(der(0x30, times(250_000, attribute))));
    },
  ],
  '500,000 extensions': [
    'too-large',
    (old) => replaced(old, LIST_EXTENSIONS, withMore(times(500_000, extension(derOid('1.2.3.4'), octets())))),
  ],
  'indefinite forms 1,000,000 deep': ['too-deep', () => times(1_000_000, octets(0x30, 0x80))],
};

describe('revocation lists made to break their reader', LINEAR, () => {
  let list: Buffer;
  before(() => {
    list = authority.crl({ revoked: [{ certificate: leaf.certificate, at: 1_700_000_000_000 }] });
  });

  for (const [what, [code, make]] of Object.entries(lists)) {
    it(`${what}: ${code}`, () =>
      assert.equal(
        codeOf(() => readCrls(make(list))),
        code,
      ));
  }

  it('cut short at each octet', () => {
    for (let length = 2; length < list.length; length++)
      assert.equal(
        codeOf(() => readCrls(list.subarray(0, length))),
        'truncated',
        `${length}`,
      );
  });

  it('a certificate listed twice is revoked since the earlier date', () => {
    const entry = (at: number): Bytes =>
      der(0x30, der(Tag.integer, serialOctets(leaf.certificate)), derTime(at));
    const later = 1_800_000_000_000;
    for (const changed of [
      replaced(list, ENTRIES, withMore(entry(later))),
      replaced(list, ENTRIES, (old) => der(0x30, entry(later), ...children(old).map(encoded))),
    ])
      assert.deepEqual([...(readCrls(changed)[0]?.revoked.values() ?? [])], [1_700_000_000_000]);
  });
});

describe('PEM made to hold up its reader', LINEAR, () => {
  it('beginnings and ends by the hundred thousand', () => {
    for (const piece of [
      '-----BEGIN X509 CRL-----',
      '-----BEGIN ',
      '-----END X509 CRL-----',
      '-----BEGIN A-----\n-----END B-----\n',
    ]) {
      const text = Buffer.from(`-----BEGIN ${piece.repeat(4_000_000 / piece.length)}`);
      assert.deepEqual(readCrls(text), [], piece);
      assert.deepEqual(readCertificates(text), [], piece);
    }
  });

  it('what stands around, between and before the blocks is passed over; what is inside must be base64', () => {
    const pem = toPem('CERTIFICATE', leaf.certificate);
    const text = `preface\n-----BEGIN CERTIFICATE-----\n${pem}between\n-----END KEY-----\n${pem}-----BEGIN CERTIFICATE-----\n`;
    assert.equal(readCertificates(Buffer.from(text)).length, 2);
    const spoilt = pem.replace('-----\n', '-----\n%');
    assert.equal(
      codeOf(() => readCertificates(Buffer.from(spoilt))),
      'bad-value',
    );
  });
});
