import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import {
  type Certificate,
  type ChainSearch,
  findPaths,
  nodeCrypto,
  readCertificate,
} from '../../src/smime/index.js';
import { type ExtensionValue, extendedKeyUsage } from '../../src/smime/keys/issue-certificate.js';
import { der } from '../../src/smime/read/der.js';
import { ExtensionOid, Purpose } from '../../src/smime/read/extensions.js';
import { namesAllowed } from '../../src/smime/read/name-constraints.js';
import { type Authority, createAuthority, type Identity } from '../support/pki.js';
import { FROM } from './messages.js';

const read = (identity: Identity): Certificate => readCertificate(identity.certificate);

const search = (
  leaf: Identity,
  others: readonly Identity[],
  anchors: readonly Identity[],
): Promise<ChainSearch> => findPaths(read(leaf), others.map(read), anchors.map(read), nodeCrypto);

const lengths = ({ paths }: ChainSearch): number[] => paths.map((path) => path.certificates.length);

/** Permitted subtrees, critical. */
const permitted = (...bases: readonly Uint8Array[]): ExtensionValue => ({
  oid: ExtensionOid.nameConstraints,
  critical: true,
  value: der(0x30, der(0xa0, ...bases.map((base) => der(0x30, base)))),
});
const excluded = (...bases: readonly Uint8Array[]): ExtensionValue => ({
  oid: ExtensionOid.nameConstraints,
  critical: true,
  value: der(0x30, der(0xa1, ...bases.map((base) => der(0x30, base)))),
});
const email = (base: string): Uint8Array => der(0x81, Buffer.from(base));

describe('findPaths', () => {
  let root: Authority;
  let middle: Authority;
  let leaf: Identity;
  before(async () => {
    root = await createAuthority({ name: 'Radice' });
    middle = await createAuthority({ name: 'Intermedia', issuer: root });
    leaf = await middle.issue();
  });

  it('goes through what the message brings along, up to a root', async () => {
    assert.deepEqual(lengths(await search(leaf, [middle], [root])), [3]);
    assert.deepEqual(lengths(await search(leaf, [], [root])), []);
  });

  it('ends at an intermediate that is trusted itself, as AgID CA1 is', async () => {
    assert.deepEqual(lengths(await search(leaf, [], [middle])), [2]);
    assert.deepEqual(lengths(await search(leaf, [middle, root], [middle])), [2]);
    assert.deepEqual(lengths(await search(leaf, [middle], [root, middle])), [2]);
  });

  it('gives no path for a certificate that is itself an anchor, nor for one that nobody issued', async () => {
    assert.deepEqual(lengths(await search(leaf, [], [leaf])), []);
    const found = await search(leaf, [], []);
    assert.match(found.reason, /nessuna autorità/);
  });

  it('tells apart authorities of the same name', async () => {
    const twin = await createAuthority({ name: 'Intermedia', issuer: root });
    assert.deepEqual(lengths(await search(leaf, [twin, middle], [root])), [3]);
    assert.deepEqual(lengths(await search(leaf, [twin], [root])), []);
  });

  it('holds to path lengths', async () => {
    const strict = await createAuthority({ name: 'Stretta', pathLength: 0 });
    const below = await createAuthority({ name: 'Sotto', issuer: strict });
    assert.deepEqual(lengths(await search(await strict.issue(), [], [strict])), [2]);
    const found = await search(await below.issue(), [below], [strict]);
    assert.deepEqual(lengths(found), []);
    assert.match(found.reason, /non ammette altre autorità/);
  });

  it('does not go through an authority for other purposes', async () => {
    const web = await createAuthority({
      name: 'Web',
      issuer: root,
      more: [extendedKeyUsage(Purpose.serverAuth)],
    });
    assert.deepEqual(lengths(await search(await web.issue(), [web], [root])), []);
    const mail = await createAuthority({
      name: 'Posta',
      issuer: root,
      more: [extendedKeyUsage(Purpose.emailProtection)],
    });
    assert.deepEqual(lengths(await search(await mail.issue(), [mail], [root])), [3]);
  });

  it('holds to name constraints, those of the anchor too', async () => {
    const within = [permitted(email('pec.alfa.example'), email('pec.beta.example'))];
    const bound = await createAuthority({ name: 'Vincolata', more: within });
    assert.deepEqual(lengths(await search(await bound.issue({ email: FROM }), [], [bound])), [2]);
    const foreign = await bound.issue({ email: 'posta-certificata@pec.gamma.example' });
    assert.match((await search(foreign, [], [bound])).reason, /fuori dai vincoli/);
    const sub = await bound.issue({ email: 'a@x.pec.alfa.example' });
    assert.deepEqual(lengths(await search(sub, [], [bound])), []);
  });

  it('does not spend itself on a heap of certificates of one name', async () => {
    const key = { ...root };
    const heap = await Promise.all(
      Array.from({ length: 40 }, () => createAuthority({ name: 'Intermedia', issuer: key })),
    );
    let checks = 0;
    const counting: typeof nodeCrypto = {
      ...nodeCrypto,
      verify: (...asked) => {
        checks++;
        return nodeCrypto.verify(...asked);
      },
    };
    const bare = { ...read(leaf), authorityKeyIdentifier: undefined };
    const found = await findPaths(bare, heap.map(read), [read(root)], counting);
    assert.deepEqual(found.paths, []);
    assert.ok(checks <= 24);
  });
});

describe('name constraints (RFC 5280 4.2.1.10)', () => {
  const allowed = async (address: string, constraint: ExtensionValue): Promise<boolean> => {
    const bound = await createAuthority({ more: [constraint] });
    const constraints = read(bound).nameConstraints;
    assert.ok(constraints);
    return namesAllowed(read(await bound.issue({ email: address })), constraints);
  };

  it('reads a base as an address, a host or a domain', async () => {
    const cases: readonly (readonly [string, string, boolean])[] = [
      ['a@pec.it', 'pec.it', true],
      ['A@PEC.it', 'pec.IT', true],
      ['a@x.pec.it', 'pec.it', false],
      ['a@x.pec.it', '.pec.it', true],
      ['a@pec.it', '.pec.it', false],
      ['a@notpec.it', '.pec.it', false],
      ['a@pec.it', 'a@pec.it', true],
      ['b@pec.it', 'a@pec.it', false],
    ];
    for (const [address, base, expected] of cases) {
      assert.equal(await allowed(address, permitted(email(base))), expected, `${address} in ${base}`);
      assert.equal(await allowed(address, excluded(email(base))), !expected, `${address} outside ${base}`);
    }
  });

  it('leaves other kinds of names alone, and fails on a constrained kind it does not understand', async () => {
    assert.equal(await allowed('a@pec.it', permitted(der(0x82, Buffer.from('host.example')))), true);
    assert.equal(await allowed('a@pec.it', permitted(der(0x87, Buffer.alloc(8)))), true);
  });

  it('compares directory names from the left', async () => {
    const attribute = (oid: string, tag: number, text: string) =>
      der(0x31, der(0x30, Buffer.from(oid, 'hex'), der(tag, Buffer.from(text))));
    const italy = attribute('0603550406', 0x13, 'IT');
    const alfa = attribute('060355040a', 0x13, 'ALFA  PEC s.p.a.');
    const beta = attribute('060355040a', 0x0c, 'Beta');
    const directory = (...names: readonly Uint8Array[]) => der(0xa4, der(0x30, ...names));
    assert.equal(await allowed('a@pec.it', permitted(directory(italy))), true);
    assert.equal(await allowed('a@pec.it', permitted(directory(italy, alfa))), true);
    assert.equal(await allowed('a@pec.it', permitted(directory(italy, beta))), false);
  });
});
