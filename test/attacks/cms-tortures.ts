/** Signatures (RFC 5652) that an attacker has built around a genuine one, and what is to be said of each. */
import assert from 'node:assert/strict';
import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { parseSignedData } from '../../src/smime/index.js';
import { issueCertificate } from '../../src/smime/keys/issue-certificate.js';
import { children, content, encoded, Tag } from '../../src/smime/read/asn1.js';
import { serialOctets } from '../../src/smime/read/certificate.js';
import { der, derOid, derTime } from '../../src/smime/read/der.js';
import type { TestGestore } from '../support/pki.js';
import { at, type Bytes, by, joined, octets, replaced, times, withMore } from './ber.js';

/** Places in a CMS (RFC 5652 5.1, 5.3). */
const BODY = [1, 0];
const SIGNERS = [1, 0, 4];
const SIGNER = [1, 0, 4, 0];
const VERSION = [...SIGNER, 0];
const DIGEST_ALGORITHM = [...SIGNER, 2];
const ATTRIBUTES = [...SIGNER, 3];
const SIGNATURE_ALGORITHM = [...SIGNER, 4];
const SIGNATURE = [...SIGNER, 5];
const CERTIFICATES = [1, 0, 3];

const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const SIGNING_TIME = '1.2.840.113549.1.9.5';
const DATA = '1.2.840.113549.1.7.1';

const attribute = (oid: string, ...values: readonly Bytes[]): Bytes =>
  der(0x30, derOid(oid), der(0x31, ...values));
const algorithm = (oid: string, ...parameters: readonly Bytes[]): Bytes =>
  der(0x30, derOid(oid), ...parameters);
const nested = (depth: number): Bytes => {
  let bytes = octets(Tag.null, 0);
  for (let level = 0; level < depth; level++) bytes = der(0x30, bytes);
  return bytes;
};
const typeOid = (content: Bytes) => (cms: Bytes) => replaced(cms, [0], by(der(Tag.oid, content)));

/** What the reader refuses, and why. */
export const unreadable: Readonly<Record<string, readonly [code: string, make: (cms: Bytes) => Bytes]>> = {
  nothing: ['truncated', () => octets()],
  'half a header': ['truncated', () => octets(0x30)],
  'a length of 4 GiB': ['truncated', (cms) => joined(octets(0x30, 0x84, 0xff, 0xff, 0xff, 0xff), cms)],
  'a length of five octets': ['bad-length', (cms) => joined(octets(0x30, 0x85, 0, 0, 0, 0, 4), cms)],
  'a length of 126 octets': ['bad-length', (cms) => joined(octets(0x30, 0xfe), cms)],
  'the reserved length': ['bad-length', (cms) => joined(octets(0x30, 0xff), cms)],
  'a length that is cut off': ['truncated', () => octets(0x30, 0x84, 0, 0)],
  'a member longer than what holds it': [
    'truncated',
    (cms) => replaced(cms, VERSION, by(octets(0x02, 0x83, 0xff, 0xff, 0xff, 1))),
  ],
  'an indefinite form without an end': [
    'truncated',
    (cms) => joined(octets(0x30, 0x80), content(at(cms, []))),
  ],
  'an indefinite form with half an end': [
    'truncated',
    (cms) => joined(octets(0x30, 0x80), content(at(cms, [])), octets(0)),
  ],
  'a primitive element in the indefinite form': [
    'bad-length',
    (cms) => replaced(cms, SIGNATURE, by(octets(0x04, 0x80, 1, 2, 0, 0))),
  ],
  'the end of an indefinite form where none is open': [
    'bad-value',
    (cms) => replaced(cms, SIGNER, withMore(octets(0, 0))),
  ],
  'indefinite forms 100,000 deep': ['too-deep', () => times(100_000, octets(0x30, 0x80))],
  'definite forms 100 deep in a signed attribute': [
    'too-deep',
    (cms) => replaced(cms, ATTRIBUTES, withMore(attribute('1.2.3.4', nested(100)))),
  ],
  'strings in strings, 100 deep': [
    'too-deep',
    (cms) =>
      replaced(cms, SIGNATURE, () => {
        let bytes = der(0x04, octets(1));
        for (let level = 0; level < 100; level++) bytes = der(0x24, bytes);
        return bytes;
      }),
  ],
  'a string of 100,000 pieces': [
    'too-large',
    (cms) => replaced(cms, SIGNATURE, by(der(0x24, times(100_000, octets(0x04, 0))))),
  ],
  'a string with pieces of another kind': [
    'bad-tag',
    (cms) => replaced(cms, SIGNATURE, by(der(0x24, octets(0x03, 2, 0, 1)))),
  ],
  'a tag number over 30': ['bad-tag', (cms) => replaced(cms, VERSION, by(octets(0x1f, 0x81, 0x02, 1, 1)))],
  'a tag without an end': ['bad-tag', () => times(1000, octets(0x3f, 0xff, 0xff, 0xff))],
  'an integer of no octets': ['bad-value', (cms) => replaced(cms, VERSION, by(octets(0x02, 0)))],
  'a negative version': ['bad-value', (cms) => replaced(cms, VERSION, by(octets(0x02, 1, 0xff)))],
  'a padded integer': ['bad-value', (cms) => replaced(cms, VERSION, by(octets(0x02, 2, 0, 1)))],
  'an integer of five octets': [
    'bad-value',
    (cms) => replaced(cms, VERSION, by(octets(0x02, 5, 1, 0, 0, 0, 0))),
  ],
  'an identifier of no octets': ['bad-value', typeOid(octets())],
  'an identifier that ends inside an arc': ['bad-value', typeOid(octets(0x2a, 0x86))],
  'an identifier padded in front': [
    'bad-value',
    typeOid(joined(octets(0x80), content(at(derOid('1.2.840.113549.1.7.2'), [])))),
  ],
  'an identifier padded inside': [
    'bad-value',
    typeOid(octets(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 0x80, 7, 2)),
  ],
  'an identifier with an arc of 70 bits': ['bad-value', typeOid(octets(0x2a, ...Array(10).fill(0xff), 0x01))],
  'an identifier that overflows into the right one': [
    'bad-value',
    // 2^64 + 840 in the third arc.
    typeOid(
      octets(0x2a, 0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2),
    ),
  ],
  'an identifier of 1,000 arcs': ['bad-value', typeOid(times(1000, octets(1)))],
  'bytes behind it': ['trailing-bytes', (cms) => joined(cms, octets(0))],
  'two of them': ['trailing-bytes', (cms) => joined(cms, cms)],
  'two bodies in one': ['trailing-bytes', (cms) => replaced(cms, [1], withMore(encoded(at(cms, BODY))))],
  'another kind of CMS': ['unsupported', (cms) => replaced(cms, [0], by(derOid('1.2.840.113549.1.7.3')))],
  'no signer': ['signers', (cms) => replaced(cms, SIGNERS, by(der(0x31)))],
  'two signers': ['signers', (cms) => replaced(cms, SIGNERS, withMore(encoded(at(cms, SIGNER))))],
  '100,000 signers': [
    'too-large',
    (cms) => replaced(cms, SIGNERS, by(der(0x31, times(100_000, octets(0x30, 0))))),
  ],
  '100,000 members': ['too-large', (cms) => replaced(cms, SIGNER, withMore(times(100_000, octets(5, 0))))],
  '100,000 certificates': [
    'too-large',
    (cms) => replaced(cms, CERTIFICATES, by(der(0xa0, times(100_000, octets(0x30, 0))))),
  ],
  'a signature that is no octet string': [
    'bad-tag',
    (cms) => replaced(cms, SIGNATURE, by(octets(0x03, 2, 0, 1))),
  ],
  'the digest MD5': [
    'unsupported',
    (cms) => replaced(cms, DIGEST_ALGORITHM, by(algorithm('1.2.840.113549.2.5', octets(5, 0)))),
  ],
  'a digest of another hash than the signature': [
    'unsupported',
    (cms) => replaced(cms, SIGNATURE_ALGORITHM, by(algorithm('1.2.840.113549.1.1.13', octets(5, 0)))),
  ],
  'PSS without parameters': [
    'truncated',
    (cms) => replaced(cms, SIGNATURE_ALGORITHM, by(algorithm('1.2.840.113549.1.1.10'))),
  ],
  'PSS with two hashes in one place': [
    'trailing-bytes',
    (cms) => {
      const sha256 = algorithm('2.16.840.1.101.3.4.2.1');
      const parameters = der(0x30, der(0xa0, sha256, sha256));
      return replaced(cms, SIGNATURE_ALGORITHM, by(algorithm('1.2.840.113549.1.1.10', parameters)));
    },
  ],
  'PSS with a salt of 100,000 octets': [
    'bad-value',
    (cms) => {
      const sha256 = algorithm('2.16.840.1.101.3.4.2.1');
      const mask = algorithm('1.2.840.113549.1.1.8', sha256);
      const salt = octets(0x02, 3, 0x01, 0x86, 0xa0);
      const parameters = der(0x30, der(0xa0, sha256), der(0xa1, mask), der(0xa2, salt));
      return replaced(cms, SIGNATURE_ALGORITHM, by(algorithm('1.2.840.113549.1.1.10', parameters)));
    },
  ],
  'attributes of 70,000 octets': [
    'too-large',
    (cms) => replaced(cms, ATTRIBUTES, withMore(attribute('1.2.3.4', der(0x04, Buffer.alloc(70_000))))),
  ],
};

/** Signed attributes that the reader refuses, however well they are signed. */
export const wrongAttributes: Readonly<
  Record<string, readonly [code: string, change: (genuine: Genuine) => Bytes[]]>
> = {
  'the digest twice': [
    'bad-value',
    ({ all, digest }) => [...all, attribute(MESSAGE_DIGEST, der(0x04, digest))],
  ],
  'the digest twice, the other one wrong': [
    'bad-value',
    ({ all }) => [attribute(MESSAGE_DIGEST, der(0x04, Buffer.alloc(32))), ...all],
  ],
  'two digests in one attribute': [
    'bad-value',
    ({ type, digest }) => [type, attribute(MESSAGE_DIGEST, der(0x04, digest), der(0x04, Buffer.alloc(32)))],
  ],
  'a digest attribute of no value': ['bad-value', ({ type }) => [type, attribute(MESSAGE_DIGEST)]],
  'a digest that is text': [
    'bad-tag',
    ({ type, digest }) => [type, attribute(MESSAGE_DIGEST, der(0x0c, digest))],
  ],
  'the type twice': ['bad-value', ({ all, type }) => [...all, type]],
  'a type that is text': [
    'bad-tag',
    ({ all }) => [attribute(CONTENT_TYPE, der(0x0c, Buffer.from(DATA))), ...all.slice(1)],
  ],
  'the time twice': [
    'bad-value',
    ({ all }) => [...all, attribute(SIGNING_TIME, derTime(0)), attribute(SIGNING_TIME, derTime(0))],
  ],
  'a time that is none': [
    'bad-value',
    ({ type, digestAttribute }) => [
      type,
      digestAttribute,
      attribute(SIGNING_TIME, der(0x17, Buffer.from('999999999999Z'))),
    ],
  ],
  'an attribute with a third member': [
    'bad-value',
    ({ type, digest }) => [type, der(0x30, derOid(MESSAGE_DIGEST), der(0x31, der(0x04, digest)), der(0x31))],
  ],
};

/** Signed attributes that can be read and prove nothing. */
export const worthlessAttributes: Readonly<
  Record<string, readonly [fault: string, change: (genuine: Genuine) => Bytes[]]>
> = {
  none: ['malformed', () => []],
  'no digest': ['malformed', ({ type }) => [type]],
  'no type': ['malformed', ({ digestAttribute }) => [digestAttribute]],
  'another type': [
    'malformed',
    ({ digestAttribute }) => [attribute(CONTENT_TYPE, derOid('1.2.840.113549.1.7.5')), digestAttribute],
  ],
  'another digest': ['digest', ({ type }) => [type, attribute(MESSAGE_DIGEST, der(0x04, Buffer.alloc(32)))]],
  'a digest of no octets': ['digest', ({ type }) => [type, attribute(MESSAGE_DIGEST, der(0x04))]],
  'half the digest': [
    'digest',
    ({ type, digest }) => [type, attribute(MESSAGE_DIGEST, der(0x04, digest.subarray(0, 16)))],
  ],
  'the digest and more': [
    'digest',
    ({ type, digest }) => [type, attribute(MESSAGE_DIGEST, der(0x04, digest, octets(0)))],
  ],
};

interface Genuine {
  readonly all: readonly Bytes[];
  readonly type: Bytes;
  readonly digestAttribute: Bytes;
  readonly digest: Bytes;
}

export function genuineAttributes(cms: Bytes): Genuine {
  const all = children(at(cms, ATTRIBUTES)).map(encoded);
  const digest = parseSignedData(cms).signer.attributes?.messageDigest ?? assert.fail('no digest');
  return {
    all,
    type: attribute(CONTENT_TYPE, derOid(DATA)),
    digestAttribute: attribute(MESSAGE_DIGEST, der(0x04, digest)),
    digest,
  };
}

/** The CMS with other attributes, signed anew by the gestore's own key. @param over what is signed, if not the set of them */
export function resigned(
  cms: Bytes,
  key: KeyObject,
  attributes: readonly Bytes[],
  over = der(0x31, ...attributes),
): Bytes {
  const changed = replaced(cms, ATTRIBUTES, by(der(0xa0, ...attributes)));
  return replaced(changed, SIGNATURE, by(der(0x04, sign('sha256', over, key))));
}

/** Everything else that can be read and proves nothing. */
export const worthless: Readonly<
  Record<
    string,
    readonly [fault: string, make: (cms: Bytes, gestore: TestGestore, other: KeyObject) => Bytes]
  >
> = {
  'a signature of no octets': ['signature', (cms) => replaced(cms, SIGNATURE, by(octets(0x04, 0)))],
  'a signature of 20,000 octets': [
    'signature',
    (cms) => replaced(cms, SIGNATURE, by(der(0x04, Buffer.alloc(20_000, 1)))),
  ],
  'the signature and one octet more': [
    'signature',
    (cms) => replaced(cms, SIGNATURE, (old) => der(0x04, content(old), octets(0))),
  ],
  'attributes in another order than was signed': [
    'signature',
    (cms) => replaced(cms, ATTRIBUTES, (old) => der(0xa0, ...children(old).map(encoded).reverse())),
  ],
  'attributes signed under the tag they travel with': [
    'signature',
    (cms, { key }) => resigned(cms, key, genuineAttributes(cms).all, encoded(at(cms, ATTRIBUTES))),
  ],
  'attributes in BER, signed in BER': [
    'signature',
    (cms, { key }) => {
      const loose = joined(octets(0x31, 0x80), ...genuineAttributes(cms).all, octets(0, 0));
      const travelling = joined(octets(0xa0, 0x80), loose.subarray(2));
      const changed = replaced(cms, ATTRIBUTES, by(travelling));
      return replaced(changed, SIGNATURE, by(der(0x04, sign('sha256', loose, key))));
    },
  ],
  'the content itself signed, without attributes': [
    'malformed',
    (cms) =>
      replaced(cms, SIGNER, (old) =>
        der(
          0x30,
          ...children(old)
            .filter((_, place) => place !== 3)
            .map(encoded),
        ),
      ),
  ],
  'no certificate': ['no-certificate', (cms) => replaced(cms, CERTIFICATES, by(der(0xa0)))],
  'rubbish for certificates': [
    'no-certificate',
    (cms) =>
      replaced(cms, CERTIFICATES, by(der(0xa0, times(1000, octets(0x30, 0)), times(100, octets(0, 0))))),
  ],
  'a certificate of 70,000 octets': [
    'no-certificate',
    (cms) =>
      replaced(cms, [...CERTIFICATES, 0], (old) =>
        replaced(
          encoded(old),
          [0, 7, 0],
          withMore(der(0x30, derOid('1.2.3.4'), der(0x04, Buffer.alloc(70_000)))),
        ),
      ),
  ],
  'a certificate with the same issuer and serial, of another key, before the genuine one': [
    'signature',
    (cms, gestore, other) =>
      replaced(cms, CERTIFICATES, (old) =>
        der(0xa0, lookalike(gestore, other), ...children(old).map(encoded)),
      ),
  ],
};

function lookalike(gestore: TestGestore, key: KeyObject): Bytes {
  const tbs = at(gestore.certificate, [0]);
  const issued = issueCertificate({
    subject: gestore.subject,
    issuer: gestore.subject,
    publicKey: createPublicKey(key),
    issuerKey: key,
    notBefore: 0,
    notAfter: Date.UTC(2049, 0, 1),
    serial: serialOctets(gestore.certificate),
    extensions: [],
  });
  const issuer = children(tbs)[3];
  assert.ok(issuer);
  return replaced(issued, [0, 3], by(encoded(issuer)));
}
