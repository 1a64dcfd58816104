import { createHash } from 'node:crypto';
import { addressKey, isValidAddress, isValidDomain } from '../pec/index.js';
import { type LdifEntry, type LdifValue, writeLdifEntry } from './ldif.js';

/** A gestore's record, or one of its secondary environments (RFC 6109 4.5). */
export interface ProviderRecord {
  readonly providerName: string;
  /** Only for a secondary environment. */
  readonly providerUnit?: string;
  /** Where presa in carico and rilevazione virus go. */
  readonly mailReceipt: string;
  /** Lower case. */
  readonly managedDomains: readonly string[];
  /** DER. */
  readonly certificates: readonly Buffer[];
  /** SHA-1 of the DER certificates, upper-case hex. */
  readonly certificateHashes: readonly string[];
  readonly ldifLocationUrl?: string;
  readonly description?: string;
}

/** The LDIF is readable but says something a directory of gestori cannot say. */
export class DirectoryError extends Error {
  override readonly name = 'DirectoryError';
}

/** What one file says. */
export interface ProviderRecords {
  readonly records: readonly ProviderRecord[];
  /** Whether it holds the base entry `o=postacert`: then it speaks for everyone, else for one gestore only. */
  readonly wholeDirectory: boolean;
}

/** @throws DirectoryError naming the entry */
export function readProviderRecords(entries: readonly LdifEntry[]): ProviderRecords {
  const isBase = ({ dn }: LdifEntry): boolean => dn.toLowerCase().replace(/\s+/g, '') === 'o=postacert';
  const records = entries.filter((entry) => !isBase(entry)).map(readRecord);
  const wholeDirectory = entries.some(isBase);
  const names = new Set(records.map(({ providerName }) => providerName));
  if (records.length === 0) throw new DirectoryError('the file holds no provider record');
  // Decisions 25: a peer's LDIF speaks only for its own providerName.
  if (!wholeDirectory && names.size > 1) {
    throw new DirectoryError(`one gestore's file speaks for several: ${[...names].join(', ')}`);
  }
  return { records, wholeDirectory };
}

function readRecord(entry: LdifEntry): ProviderRecord {
  const text = (name: string): string[] =>
    (entry.attributes.get(name) ?? []).map((value) => new TextDecoder().decode(value));
  const fail = (what: string): never => {
    throw new DirectoryError(`${entry.dn}: ${what}`);
  };
  const one = (name: string): string => {
    const values = text(name);
    const [value] = values;
    if (value === undefined || value === '' || values.length > 1) return fail(`needs exactly one ${name}`);
    return value;
  };
  const mailReceipt = one('mailreceipt');
  if (!isValidAddress(mailReceipt)) fail(`mailReceipt "${mailReceipt}" is not an address`);
  const managedDomains = [...new Set(text('manageddomains').map(addressKey))];
  for (const domain of managedDomains)
    if (!isValidDomain(domain)) fail(`managedDomains "${domain}" is not a domain`);
  const certificates = (entry.attributes.get('providercertificate') ?? []).map((value) => Buffer.from(value));
  if (certificates.length === 0) fail('has no providerCertificate');
  const certificateHashes = certificates.map(certificateHash);
  for (const declared of text('providercertificatehash')) {
    // RFC 6109 4.5.1; the search is insensitive to case (pec-format 4).
    if (!certificateHashes.includes(declared.trim().toUpperCase())) {
      fail(`providerCertificateHash ${declared} belongs to none of its certificates`);
    }
  }
  const unit = text('providerunit')[0];
  const url = text('ldiflocationurl')[0];
  const description = text('description')[0];
  return {
    providerName: one('providername'),
    ...(unit === undefined ? {} : { providerUnit: unit }),
    mailReceipt,
    managedDomains,
    certificates,
    certificateHashes,
    ...(url === undefined ? {} : { ldifLocationUrl: url }),
    ...(description === undefined ? {} : { description }),
  };
}

/** RFC 6109 4.5.1: SHA-1 of the DER certificate; upper-case hex. */
export const certificateHash = (certificate: Uint8Array): string =>
  createHash('sha1').update(certificate).digest('hex').toUpperCase();

/** One record as an LDIF entry (RFC 6109 4.5.10). */
export function writeProviderRecord(record: ProviderRecord): string {
  const unit = record.providerUnit === undefined ? '' : `providerUnit=${escapeDn(record.providerUnit)},`;
  const values: LdifValue[] = [
    ['objectclass', 'top'],
    ['objectclass', 'provider'],
    ['providerName', record.providerName],
    ...optional('providerUnit', record.providerUnit),
    ...record.certificateHashes.map((hash): LdifValue => ['providerCertificateHash', hash]),
    ...record.certificates.map((certificate): LdifValue => ['providerCertificate;binary', certificate]),
    ['mailReceipt', record.mailReceipt],
    ...optional('LDIFLocationURL', record.ldifLocationUrl),
    ...record.managedDomains.map((domain): LdifValue => ['managedDomains', domain]),
    ...optional('description', record.description),
  ];
  return writeLdifEntry(`${unit}providerName=${escapeDn(record.providerName)},o=postacert`, values);
}

const optional = (name: string, value: string | undefined): LdifValue[] =>
  value === undefined ? [] : [[name, value]];

/** RFC 4514 2.4. */
const escapeDn = (value: string): string =>
  value
    .replace(/[\\",+;<>=]/g, (character) => `\\${character}`)
    .replace(/^([ #])|( )$/g, (space) => `\\${space}`);
