import { serviceAddress } from '../pec/index.js';
import { type Certificate, emailsOf, readCertificate } from './read/certificate.js';
import { CmsError } from './read/cms-error.js';
import { ExtensionOid } from './read/extensions.js';
import { NameType, valuesOf } from './read/names.js';

/**
 * What keeps a certificate from being a gestore's signing certificate (RFC 6109 5.5), in Italian; empty when it has the
 * profile. `providerName` is that of the directory, `mailDomain` the domain whose posta-certificata address signs.
 */
export function certificateProfileFaults(
  der: Uint8Array,
  providerName: string,
  mailDomain: string,
): string[] {
  const certificate = tryRead(der);
  if (typeof certificate === 'string') return [`il certificato non è leggibile (${certificate})`];
  return [...subjectFaults(certificate, providerName), ...extensionFaults(certificate, mailDomain)];
}

function tryRead(der: Uint8Array): Certificate | string {
  try {
    return readCertificate(der);
  } catch (error) {
    if (error instanceof CmsError) return error.message;
    throw error;
  }
}

/** RFC 6109 5.5.1. */
function subjectFaults(certificate: Certificate, providerName: string): string[] {
  const names = [NameType.organization, NameType.commonName].flatMap((type) =>
    valuesOf(certificate.subject, type),
  );
  if (names.includes(providerName)) return [];
  return [`il nome del gestore "${providerName}" non è in O né in CN del certificato`];
}

/** Extensions that must be there and must not be critical (RFC 6109 5.5.2). */
const plain = [
  [ExtensionOid.authorityKeyIdentifier, 'authorityKeyIdentifier'],
  [ExtensionOid.subjectKeyIdentifier, 'subjectKeyIdentifier'],
  [ExtensionOid.subjectAltName, 'subjectAltName'],
] as const;

/** RFC 6109 5.5.2. */
function extensionFaults(certificate: Certificate, mailDomain: string): string[] {
  const faults: string[] = [];
  const { extensions } = certificate;
  const usage = extensions.get(ExtensionOid.keyUsage);
  if (usage === undefined) faults.push('keyUsage manca');
  else if (!usage.critical) faults.push('keyUsage non è critica');
  if (usage !== undefined && certificate.keyUsage?.has('digitalSignature') !== true) {
    faults.push('keyUsage non contiene digitalSignature');
  }
  for (const [oid, name] of plain) {
    const extension = extensions.get(oid);
    if (extension === undefined) faults.push(`${name} manca`);
    else if (extension.critical) faults.push(`${name} è critica`);
  }
  if (
    extensions.has(ExtensionOid.authorityKeyIdentifier) &&
    certificate.authorityKeyIdentifier === undefined
  ) {
    faults.push('authorityKeyIdentifier non contiene keyIdentifier');
  }
  const address = serviceAddress(mailDomain).toLowerCase();
  if (
    extensions.has(ExtensionOid.subjectAltName) &&
    !emailsOf(certificate).some((email) => email.toLowerCase() === address)
  ) {
    faults.push(`subjectAltName non contiene l'indirizzo ${address}`);
  }
  if (extensions.has(ExtensionOid.basicConstraints)) faults.push('basicConstraints è presente');
  const described: readonly string[] = [ExtensionOid.keyUsage, ...plain.map(([oid]) => oid)];
  for (const [oid, { critical }] of extensions) {
    if (critical && !described.includes(oid)) faults.push(`l'estensione ${oid} è critica`);
  }
  return faults;
}
