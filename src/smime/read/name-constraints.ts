import type { Certificate } from './certificate.js';
import type { NameConstraints } from './extensions.js';
import { type GeneralName, NameType, startsWithName, valuesOf } from './names.js';

/**
 * Whether every name of `certificate` is inside the constraints of a CA above it (RFC 5280 4.2.1.10): addresses in
 * the SAN and in the subject, host names, the subject itself. A constrained form that is not understood fails.
 */
export function namesAllowed(certificate: Certificate, constraints: NameConstraints): boolean {
  const subjectEmails = valuesOf(certificate.subject, NameType.email);
  const names: GeneralName[] = [
    ...certificate.altNames,
    ...subjectEmails.map((value): GeneralName => ({ kind: 'email', value })),
  ];
  if (certificate.subject.keys.length > 0) names.push({ kind: 'directory', value: certificate.subject });
  return names.every((name) => nameAllowed(name, constraints));
}

function nameAllowed(name: GeneralName, { permitted, excluded }: NameConstraints): boolean {
  const ofKind = (list: readonly GeneralName[]): GeneralName[] =>
    list.filter((base) => base.kind === name.kind && tagOf(base) === tagOf(name));
  const barred = ofKind(excluded);
  const open = ofKind(permitted);
  if (barred.length === 0 && open.length === 0) return true;
  if (name.kind === 'other' || name.kind === 'uri') return false;
  if (barred.some((base) => within(name, base))) return false;
  return open.length === 0 || open.some((base) => within(name, base));
}

/** IP addresses constrain IP addresses only, and so on: the kinds not understood are told apart by their tag. */
const tagOf = (name: GeneralName): number => (name.kind === 'other' ? name.tag : 0);

function within(name: GeneralName, base: GeneralName): boolean {
  if (name.kind === 'directory' && base.kind === 'directory') return startsWithName(name.value, base.value);
  if (name.kind === 'email' && base.kind === 'email')
    return emailWithin(name.value, base.value.toLowerCase());
  if (name.kind === 'dns' && base.kind === 'dns') return hostWithin(name.value, base.value.toLowerCase());
  return false;
}

/** A whole address, a host (exactly it), or `.domain` (every host below it). The empty string takes all. */
function emailWithin(address: string, base: string): boolean {
  if (base === '') return true;
  const at = address.lastIndexOf('@');
  if (at < 0) return false;
  const host = address.slice(at + 1).toLowerCase();
  if (base.includes('@')) {
    const split = base.lastIndexOf('@');
    return host === base.slice(split + 1) && address.slice(0, at).toLowerCase() === base.slice(0, split);
  }
  return base.startsWith('.') ? host.endsWith(base) : host === base;
}

function hostWithin(host: string, base: string): boolean {
  const name = host.toLowerCase();
  return base === '' || name === base || name.endsWith(base.startsWith('.') ? base : `.${base}`);
}
