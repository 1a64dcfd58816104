import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  certificateHash,
  DirectoryError,
  LdifError,
  type ProviderRecord,
  readLdif,
  readProviderRecords,
  writeProviderRecord,
} from '../../src/directory/index.js';
import { writeLdifEntry } from '../../src/directory/ldif.js';

const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);
const entries = (ldif: string) => readLdif(Buffer.from(ldif));

const certificate = Buffer.from('un certificato qualunque: qui nessuno lo legge');

const record = (change: Partial<ProviderRecord> = {}): ProviderRecord => ({
  providerName: 'Alfa PEC S.p.A.',
  mailReceipt: 'ricevute@pec.alfa.example',
  managedDomains: ['pec.alfa.example', 'pec.cliente.example'],
  certificates: [certificate],
  certificateHashes: [certificateHash(certificate)],
  ...change,
});

describe('RFC 6109 4.5.10', () => {
  // As printed, un-indented, without the page furniture; one letter of the second certificate, lost in the print, is
  // put back (its hash shows where).
  const example = readFileSync('test/directory/fixtures/rfc6109-4.5.10.ldif');

  it('the example parses: base entry, two gestori, certificates that have the hashes declared', () => {
    const { records, wholeDirectory } = readProviderRecords(readLdif(example));
    assert.equal(wholeDirectory, true);
    assert.deepEqual(
      records.map(({ certificates, ...rest }) => ({ ...rest, certificates: certificates.length })),
      [
        {
          providerName: 'Anonymous Certified Mail S.p.A.',
          mailReceipt: 'ssacceptance@postalser.example.com',
          managedDomains: ['mail.anpocert.example.com', 'cert.company.example.com', 'costmec.example.com'],
          certificateHashes: ['7E7AEF1059AE0F454F2643A95F69EC3556009239'],
          ldifLocationUrl: 'https://anpocert.example.com/anpocert.ldif.p7m',
          description: 'Certified mail services for companies',
          certificates: 1,
        },
        {
          providerName: 'Postal Services S.p.A',
          mailReceipt: 'takecharge@postalser.example.com',
          managedDomains: ['postal-services.example.com', 'receivedmail.example.com'],
          certificateHashes: ['E00FDD9D88BE0E2CC766B893315CAF93D5701A6A'],
          ldifLocationUrl: 'https://postalser.example.com/ldif.txt.p7m',
          description: 'Certified mail services for the public',
          certificates: 1,
        },
      ],
    );
  });

  it('a letter missing from a certificate is noticed, as in the printed text', () => {
    const damaged = example.toString().replace('sKycPSnHb', 'sKycSnHb');
    assert.throws(() => readLdif(Buffer.from(damaged)), LdifError);
    const changed = example.toString().replace('sKycPSnHb', 'sKycQSnHb');
    assert.throws(() => readProviderRecords(readLdif(Buffer.from(changed))), /providerCertificateHash/);
  });

  it('line ends and the byte order mark make no difference', () => {
    const expected = readProviderRecords(readLdif(example));
    for (const end of ['\r\n', '\r']) {
      const other = Buffer.from(`\uFEFF${example.toString().replaceAll('\n', end)}`);
      assert.deepEqual(readProviderRecords(readLdif(other)), expected);
    }
  });
});

describe('LDIF (RFC 2849)', () => {
  it('folds, comments, options, base64, empty values and repeated attributes', () => {
    const [one, two, ...others] = entries(
      [
        'version: 1',
        '# un commento',
        '  che continua',
        'dn: o=uno,',
        ' c=IT',
        'A: primo',
        'a;lang-it: secondo',
        'b:: cGVyY2jDqQ==',
        'c;binary;x:: AAEC',
        'd:',
        'e:    spazi',
        '',
        '',
        'dn:: bz1kdWU=',
        'x: 1',
      ].join('\n'),
    );
    assert.deepEqual(others, []);
    assert.deepEqual([one?.dn, two?.dn], ['o=uno,c=IT', 'o=due']);
    const attributes = [...(one?.attributes ?? [])].map(([name, values]) => [
      name,
      values.map((value) => text(value)),
    ]);
    assert.deepEqual(attributes, [
      ['a', ['primo', 'secondo']],
      ['b', ['perché']],
      ['c', ['\0\u0001\u0002']],
      ['d', ['']],
      ['e', ['spazi']],
    ]);
  });

  it('what is no LDIF is refused with its line', () => {
    const cases: readonly [string, number][] = [
      ['dn: o=x\nniente', 2],
      ['dn: o=x\na:: non base64', 2],
      ['dn: o=x\na:: QUI=\nb:: QUI', 3],
      ['a: prima del dn', 1],
      ['dn: o=x\na:< file:///etc/passwd', 2],
      ['dn: o=x\n1a: b', 2],
      [' continua dal nulla', 1],
    ];
    for (const [ldif, line] of cases) {
      assert.throws(
        () => entries(ldif),
        (error) => error instanceof LdifError && error.line === line,
        ldif,
      );
    }
    assert.deepEqual(entries(''), []);
    assert.deepEqual(entries('\n\n# solo commenti\n'), []);
  });

  it('never throws anything but LdifError, whatever it is given', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '\n',
        '\r\n',
        '\n\n',
        '\n ',
        ' ',
        ':',
        '::',
        ':<',
        'dn: o=x',
        'version: 1',
        '#',
        'a: b',
        ';',
        'QUI=',
        '\uFEFF',
      ),
      fc.string(),
      fc.uint8Array({ maxLength: 5 }).map((octets) => Buffer.from(octets).toString('latin1')),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          readProviderRecords(readLdif(Buffer.from(pieces.join(''), 'latin1')));
        } catch (error) {
          assert.ok(error instanceof LdifError || error instanceof DirectoryError, String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('reads back what it writes', () => {
    const value = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 200 }));
    const name = fc.constantFrom('providerName', 'mailReceipt', 'x');
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        fc.array(fc.tuple(name, value), { maxLength: 8 }),
        (dn, values) => {
          const ldif = writeLdifEntry(dn, values);
          assert.ok(ldif.split('\n').every((line) => line.length <= 76));
          assert.ok(/^[\x20-\x7e\n]*$/.test(ldif));
          const [entry, ...others] = entries(ldif);
          assert.deepEqual(others, []);
          assert.equal(entry?.dn, Buffer.from(dn, 'utf8').toString('utf8'));
          const read = [...(entry?.attributes ?? [])].flatMap(([, all]) =>
            all.map((each) => Buffer.from(each)),
          );
          const wrote = [...new Set(values.map(([each]) => each.toLowerCase()))].flatMap((each) =>
            values.filter(([other]) => other.toLowerCase() === each).map(([, bytes]) => Buffer.from(bytes)),
          );
          assert.deepEqual(read, wrote);
        },
      ),
    );
  });
});

describe('provider records', () => {
  const ldif = (change: (text: string) => string = (same) => same): string =>
    change(writeProviderRecord(record()));

  it('decisions 24: main and secondary environments, with a shared certificate, go out and come back', () => {
    const main = record({
      ldifLocationUrl: 'https://mail.alfa.example/igpec/provider.ldif.p7m',
      description: 'Servizi perché sì',
    });
    const unit = record({
      providerUnit: 'Ambiente "secondario", di prova ',
      mailReceipt: 'prese@pec.due.example',
      managedDomains: ['pec.due.example'],
    });
    const { records, wholeDirectory } = readProviderRecords(
      entries(`${writeProviderRecord(main)}\n${writeProviderRecord(unit)}`),
    );
    assert.deepEqual([records, wholeDirectory], [[main, unit], false]);
  });

  it('the distinguished name is escaped (RFC 4514 2.4)', () => {
    const [entry] = entries(writeProviderRecord(record({ providerName: 'A, B + "C" \\ <D>; E=F' })));
    assert.equal(entry?.dn, 'providerName=A\\, B \\+ \\"C\\" \\\\ \\<D\\>\\; E\\=F,o=postacert');
  });

  it('decisions 25: one gestore\u2019s file that speaks for several is refused, a whole directory may', () => {
    const both = `${writeProviderRecord(record())}\n${writeProviderRecord(record({ providerName: 'Beta PEC S.r.l.' }))}`;
    assert.throws(
      () => readProviderRecords(entries(both)),
      /speaks for several: Alfa PEC S\.p\.A\., Beta PEC S\.r\.l\./,
    );
    assert.equal(readProviderRecords(entries(`dn: O=postacert\no: postacert\n\n${both}`)).records.length, 2);
  });

  it('says which entry is wrong, and how', () => {
    const cases: readonly [(text: string) => string, RegExp][] = [
      [(same) => same.replace(/^mailReceipt.*\n/m, ''), /needs exactly one mailreceipt/],
      [(same) => same.replace(/^(mailReceipt.*\n)/m, '$1$1'), /needs exactly one mailreceipt/],
      [(same) => same.replace(/^mailReceipt.*$/m, 'mailReceipt: nessuno'), /is not an address/],
      [(same) => same.replace('managedDomains: pec.alfa.example', 'managedDomains: *'), /is not a domain/],
      [
        (same) => same.replace('managedDomains: pec.alfa.example', 'managedDomains: example'),
        /is not a domain/,
      ],
      [(same) => same.replace(/^providerCertificate;binary.*\n/m, ''), /no providerCertificate/],
      [
        (same) => same.replace(/^providerCertificateHash.*$/m, `providerCertificateHash: ${'0'.repeat(40)}`),
        /belongs to none/,
      ],
      [(same) => same.replace(/^providerName: .*\n/m, ''), /needs exactly one providername/],
      [() => 'dn: o=postacert\no: postacert\n', /holds no provider record/],
    ];
    for (const [change, message] of cases) {
      assert.throws(() => readProviderRecords(entries(ldif(change))), { name: 'DirectoryError', message });
    }
  });

  it('hashes compare without case, domains are taken in lower case and once', () => {
    const changed = ldif((same) =>
      same
        .replace(/^providerCertificateHash: .*$/m, (line) =>
          line.toLowerCase().replace('providercertificatehash', 'providerCertificateHash'),
        )
        .replace(
          'managedDomains: pec.cliente.example',
          'managedDomains: PEC.Alfa.Example\nmanagedDomains: PEC.CLIENTE.example',
        ),
    );
    assert.deepEqual(readProviderRecords(entries(changed)).records, [record()]);
  });
});
