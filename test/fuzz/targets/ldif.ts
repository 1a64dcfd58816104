import assert from 'node:assert/strict';
import { LdifError, type LdifValue, readLdif, writeLdifEntry } from '../../../src/directory/ldif.js';
import {
  DirectoryError,
  type ProviderRecord,
  readProviderRecords,
  writeProviderRecord,
} from '../../../src/directory/provider-record.js';
import { tolerated } from '../expect.js';
import type { Target } from '../target.js';

/** The bytes of values are what counts; names come without their options. */
function checkEntries(input: Buffer): void {
  const entries = readLdif(input);
  for (const { dn, attributes } of entries) {
    const values = [...attributes].flatMap(([name, all]) => all.map((value): LdifValue => [name, value]));
    const [again, ...others] = readLdif(Buffer.from(writeLdifEntry(dn, values)));
    assert.equal(others.length, 0);
    assert.deepEqual(again, { dn, attributes }, 'an entry that is another when read again');
  }
  for (const record of readProviderRecords(entries).records) checkRecord(record);
}

function checkRecord(record: ProviderRecord): void {
  const written = Buffer.from(`dn: o=postacert\n\n${writeProviderRecord(record)}`);
  const [again] = readProviderRecords(readLdif(written)).records;
  assert.deepEqual(again, record, 'a record that is another when read again');
}

export const target: Target = {
  corpus: ['ldif', '../../directory/fixtures', '../trust'],
  covers: ['src/directory/ldif', 'src/directory/provider-record'],
  words: [
    'dn: ',
    'dn:: ',
    'version: 1\n',
    'providerName: ',
    'mailReceipt: a@b.example\n',
    'managedDomains: ',
    'providerCertificate;binary:: ',
    'providerCertificateHash: ',
    'description:: w6A=\n',
    ':< file:///etc/passwd\n',
    '\n ',
    '\n\n',
    '#',
    '__proto__: x\n',
    '==',
    '\xef\xbb\xbf',
  ],
  run(input) {
    tolerated(() => checkEntries(input), LdifError, DirectoryError);
  },
};
