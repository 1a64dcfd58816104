/** The directory of gestori as an LDAP server holds it (RFC 6109 4.5), read whole: searches are local (RFC 6109 2.2.1). */
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Entry } from 'ldapts';
import { type LdifValue, writeLdifEntry } from './ldif.js';
import { DirectoryError } from './provider-record.js';

const BASE = 'o=postacert';
/** RFC 6109 4.5.1 to 4.5.7, and what RFC 4519 adds. */
const ATTRIBUTES = [
  'objectClass',
  'providerCertificateHash',
  'providerCertificate;binary',
  'providerName',
  'mailReceipt',
  'managedDomains',
  'LDIFLocationURL',
  'providerUnit',
  'description',
];
const BINARY = 'providerCertificate;binary';
const PAGE = 200;

export interface LdapLimits {
  /** Milliseconds for the whole. */
  readonly timeout: number;
  /** Octets of the LDIF it makes. */
  readonly size: number;
}

/**
 * Everything under the base, as LDIF. What a server says is believed like a plain LDIF file: so it must be known to be the
 * server, by TLS, or be this very machine.
 * @param url `ldaps://host:port`, with another base as its path if need be; `ldap://` on loopback only
 * @throws DirectoryError, and what the network or the server says
 */
export async function readLdap(url: string, tls: ConnectionOptions, limits: LdapLimits): Promise<Buffer> {
  const { protocol, hostname, pathname, host } = new URL(url);
  if (protocol === 'ldap:' && !isLoopback(hostname)) {
    throw new DirectoryError(`${url}: anybody on the way could change what it says: use ldaps`);
  }
  const base = pathname.length > 1 ? decodeURIComponent(pathname.slice(1)) : BASE;
  const { Client } = await import('ldapts');
  const client = new Client({
    url: `${protocol}//${host}`,
    timeout: limits.timeout,
    connectTimeout: limits.timeout,
    // Given options, the client speaks TLS on any port.
    ...(protocol === 'ldaps:' ? { tlsOptions: { ...tls, minVersion: 'TLSv1.2' } } : {}),
  });
  const deadline = setTimeout(() => void client.unbind().catch(() => undefined), limits.timeout);
  try {
    // RFC 4513 5.1.1, or the client certificate shown in TLS.
    await client.bind('', '');
    const pages = client.searchPaginated(base, {
      scope: 'sub',
      filter: '(objectClass=*)',
      attributes: ATTRIBUTES,
      explicitBufferAttributes: [BINARY],
      paged: { pageSize: PAGE },
      timeLimit: Math.ceil(limits.timeout / 1000),
    });
    const entries: string[] = [];
    let size = 0;
    for await (const { searchEntries } of pages) {
      for (const entry of searchEntries) {
        const text = ldifOf(entry);
        size += text.length + 1;
        if (size > limits.size) throw new DirectoryError(`${url}: more than ${limits.size} octets`);
        entries.push(text);
      }
    }
    return Buffer.from(entries.join('\n'));
  } finally {
    clearTimeout(deadline);
    await client.unbind().catch(() => undefined);
  }
}

function ldifOf({ dn, ...attributes }: Entry): string {
  const values = Object.entries(attributes).flatMap(([name, given]): LdifValue[] =>
    (Array.isArray(given) ? given : [given]).map((value): LdifValue => [name, value]),
  );
  return writeLdifEntry(dn, values);
}

const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'));
