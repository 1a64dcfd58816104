import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import {
  CmsError,
  createTrustStore,
  parseSignedData,
  readCertificate,
  readCrls,
  verifySignature,
} from '../../src/smime/index.js';
import { children, content, type Element, readWhole, Tag } from '../../src/smime/read/asn1.js';
import { der, derOid, toDer } from '../../src/smime/read/der.js';
import { readOid, readSerial, readTime } from '../../src/smime/read/values.js';
import { type Authority, createAuthority, type Identity } from '../support/pki.js';
import { FROM, halves, sealed } from './messages.js';

let authority: Authority;
let leaf: Identity;
let cms: Buffer;
before(async () => {
  authority = await createAuthority();
  leaf = await authority.issue({ keys: 'rsa-2048' });
  cms = Buffer.from((await halves(await sealed(leaf))).cms);
});

const codeOf = (bytes: Uint8Array): string => {
  try {
    parseSignedData(bytes);
    return 'none';
  } catch (error) {
    assert.ok(error instanceof CmsError, String(error));
    return error.code;
  }
};

/** Every constructed element in the indefinite form, octet strings in pieces; certificates stay as they are. */
function inBer(element: Element): Buffer {
  const raw = element.source.subarray(element.start, element.end);
  if (element.tag === Tag.octetString) {
    const octets = content(element);
    const half = octets.length >> 1;
    const pieces = [
      der(Tag.octetString, octets.subarray(0, half)),
      der(Tag.octetString, octets.subarray(half)),
    ];
    return Buffer.concat([Buffer.of(0x24, 0x80), ...pieces, Buffer.of(0, 0)]);
  }
  const isCertificate = element.depth === 4 && element.tag === Tag.sequence && raw.length > 300;
  if ((element.tag & 0x20) === 0 || isCertificate) return Buffer.from(raw);
  return Buffer.concat([Buffer.of(element.tag, 0x80), ...children(element).map(inBer), Buffer.of(0, 0)]);
}

describe('parseSignedData', () => {
  it('reads indefinite lengths and strings in pieces as it reads DER', async () => {
    const ber = inBer(readWhole(cms));
    assert.ok(ber.length > cms.length);
    const [plain, loose] = [parseSignedData(cms), parseSignedData(ber)];
    assert.deepEqual(Buffer.from(loose.signer.signature), Buffer.from(plain.signer.signature));
    assert.deepEqual(
      Buffer.from(loose.signer.attributes?.signedBytes ?? []),
      Buffer.from(plain.signer.attributes?.signedBytes ?? []),
    );
    const signed = { ...(await halves(await sealed(leaf))), cms };
    const verdict = (bytes: Buffer) =>
      verifySignature({
        signed: { ...signed, cms: bytes },
        from: FROM,
        trust: createTrustStore(authority.certificatePem),
        at: Date.now(),
      });
    assert.deepEqual((await verdict(ber)).faults, (await verdict(cms)).faults);
    assert.ok(Buffer.from(toDer(readWhole(ber))).equals(cms));
  });

  it('wants exactly one signer', () => {
    const outer = readWhole(cms);
    const [type, wrapper] = children(outer);
    assert.ok(type && wrapper);
    const [body] = children(wrapper);
    assert.ok(body);
    const members = children(body);
    const signer = children(members.at(-1) ?? body)[0];
    assert.ok(signer);
    const raw = (element: Element) => element.source.subarray(element.start, element.end);
    const withSigners = (...signers: Uint8Array[]) =>
      der(0x30, raw(type), der(0xa0, der(0x30, ...members.slice(0, -1).map(raw), der(0x31, ...signers))));
    assert.equal(codeOf(withSigners(raw(signer))), 'none');
    assert.equal(codeOf(withSigners(raw(signer), raw(signer))), 'signers');
    assert.equal(codeOf(withSigners()), 'signers');
  });

  it('suffers nothing after the outer structure', () => {
    assert.equal(codeOf(Buffer.concat([cms, Buffer.of(0)])), 'trailing-bytes');
    assert.equal(codeOf(Buffer.concat([cms, cms])), 'trailing-bytes');
    assert.equal(codeOf(Buffer.concat([inBer(readWhole(cms)), Buffer.from('junk')])), 'trailing-bytes');
  });

  it('wants each signed attribute once', () => {
    const { source, ...at } = readWhole(cms);
    const digest = cms.indexOf(Buffer.from(derOid('1.2.840.113549.1.9.4')));
    const twice = Buffer.from(source);
    // signingTime takes the name of messageDigest.
    twice[twice.indexOf(Buffer.from(derOid('1.2.840.113549.1.9.5'))) + 10] = 4;
    assert.ok(digest > 0 && at.end === cms.length);
    assert.equal(codeOf(twice), 'bad-value');
  });

  it('fails on everything cut short, and only with CmsError', () => {
    for (let length = 0; length < cms.length; length += 7)
      assert.equal(codeOf(cms.subarray(0, length)), 'truncated');
  });

  it('gives up on deep nesting at once', () => {
    assert.equal(codeOf(Buffer.alloc(200_000, Buffer.of(0x30, 0x80))), 'too-deep');
    let nested: Uint8Array = der(Tag.null);
    for (let i = 0; i < 60; i++) nested = der(0x30, nested);
    assert.notEqual(codeOf(nested), 'none');
    assert.throws(() => toDer(readWhole(nested)), { code: 'too-deep' });
  });

  const mutations = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), value: fc.nat({ max: 255 }) }),
      fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), value: fc.nat({ max: 40 }) }),
      fc.record({ kind: fc.constant('repeat' as const), at: fc.nat(), value: fc.nat({ max: 40 }) }),
      fc.record({ kind: fc.constant('indefinite' as const), at: fc.nat(), value: fc.constant(0) }),
    ),
    { minLength: 1, maxLength: 6 },
  );
  type Mutation = (typeof mutations extends fc.Arbitrary<infer List> ? List : never) extends (infer One)[]
    ? One
    : never;

  function mutated(bytes: Buffer, { kind, at, value }: Mutation): Buffer {
    const offset = at % Math.max(1, bytes.length);
    const [before, after] = [bytes.subarray(0, offset), bytes.subarray(offset)];
    if (kind === 'cut') return Buffer.concat([before, after.subarray(value)]);
    if (kind === 'repeat') return Buffer.concat([before, after.subarray(0, value), after]);
    const copy = Buffer.from(bytes);
    copy[offset] = kind === 'flip' ? value : 0x80;
    return copy;
  }

  const onlyCmsError = (read: () => unknown): void => {
    try {
      read();
    } catch (error) {
      assert.ok(error instanceof CmsError, error instanceof Error ? error.stack : String(error));
    }
  };

  it('meets mutated CMS, certificates and lists with CmsError alone', () => {
    const crl = authority.crl({ revoked: [{ certificate: leaf.certificate, at: Date.now() }] });
    const mostlyFront = fc.tuple(fc.constantFrom(0, 1, 2, 3), mutations);
    fc.assert(
      fc.property(mostlyFront, ([which, list]) => {
        const apply = (bytes: Buffer) => list.reduce(mutated, bytes);
        if (which === 0) onlyCmsError(() => parseSignedData(apply(cms)));
        if (which === 1) onlyCmsError(() => parseSignedData(apply(inBer(readWhole(cms)))));
        if (which === 2) onlyCmsError(() => readCertificate(apply(leaf.certificate)));
        if (which === 3) onlyCmsError(() => readCrls(apply(crl)));
      }),
      { numRuns: 6000 },
    );
  });

  it('meets any bytes with CmsError alone', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        onlyCmsError(() => parseSignedData(bytes));
        onlyCmsError(() => readCertificate(bytes));
        onlyCmsError(() => readCrls(bytes));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the readers', () => {
  it('lean on nothing of Node, so that they run in a browser too', () => {
    const folder = 'src/smime/read';
    for (const name of readdirSync(folder)) {
      const text = readFileSync(join(folder, name), 'utf8');
      assert.doesNotMatch(text, /from 'node:|\bBuffer\b|\bprocess\./, name);
    }
  });
});

describe('values', () => {
  it('reads object identifiers as they were written', () => {
    const arc = fc.nat({ max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(
        fc.constantFrom(0, 1, 2),
        fc.nat({ max: 39 }),
        fc.array(arc, { maxLength: 8 }),
        (root, second, rest) => {
          const dotted = [root, second, ...rest].join('.');
          assert.equal(readOid(readWhole(derOid(dotted))), dotted);
        },
      ),
    );
  });

  it('compares serials whatever their padding, and keeps the sign', () => {
    const serial = (...octets: number[]) => readSerial(readWhole(der(Tag.integer, Uint8Array.from(octets))));
    assert.equal(serial(0, 0, 5), serial(5));
    assert.notEqual(serial(0, 0x80), serial(0x80));
  });

  it('refuses times that do not exist', () => {
    const time = (tag: number, text: string) => () => readTime(readWhole(der(tag, Buffer.from(text))));
    assert.equal(time(0x17, '181113153926Z')(), Date.UTC(2018, 10, 13, 15, 39, 26));
    assert.equal(time(0x17, '491231235959Z')(), Date.UTC(2049, 11, 31, 23, 59, 59));
    assert.equal(time(0x17, '500101000000Z')(), Date.UTC(1950, 0, 1));
    assert.equal(time(0x17, '1811131639+0100')(), Date.UTC(2018, 10, 13, 15, 39));
    assert.equal(time(0x18, '20181113153926Z')(), Date.UTC(2018, 10, 13, 15, 39, 26));
    for (const bad of ['180230000000Z', '181301000000Z', '180101240000Z', '180101', '20180101000000Z', '']) {
      assert.throws(time(0x17, bad), CmsError, bad);
    }
  });
});
