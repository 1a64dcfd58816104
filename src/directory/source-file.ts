import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { rootCertificates } from 'node:tls';
import { type SignerInfo, type TrustStore, verifyAttached } from '../smime/index.js';
import { readLdap } from './ldap-source.js';
import { readLdif } from './ldif.js';
import {
  DirectoryError,
  type ProviderRecord,
  type ProviderRecords,
  readProviderRecords,
} from './provider-record.js';

/** Where the configuration says a part of the directory is. */
export type SourceLocation =
  | { readonly kind: 'file'; readonly file: string; readonly trust: string | null }
  | {
      /** LDIF over HTTP, or entries of an LDAP server. */
      readonly kind: 'url' | 'ldap';
      readonly url: string;
      readonly trust: string | null;
      readonly client: { readonly cert: string; readonly key: string } | null;
    };

type Remote = Exclude<SourceLocation, { kind: 'file' }>;

/** A file read and believed. */
export interface BelievedFile extends ProviderRecords {
  /** The LDIF text, out of its signature. */
  readonly ldif: Uint8Array;
  /** Who signed it; undefined for plain LDIF. */
  readonly signer: SignerInfo | undefined;
}

const TIMEOUT_MS = 30_000;
const SIZE_LIMIT = 64 * 1024 * 1024;

/** The name a source has in the store, in snapshots and in messages. */
export const sourceName = (source: SourceLocation): string =>
  source.kind === 'file' ? source.file : source.url;

/** @throws the file system's or the network's error; DirectoryError for what may not be fetched */
export async function fetchSource(source: SourceLocation): Promise<Buffer> {
  switch (source.kind) {
    case 'file':
      return readFile(source.file);
    case 'url':
      return download(source);
    case 'ldap':
      return readLdap(source.url, await tlsOf(source), { timeout: TIMEOUT_MS, size: SIZE_LIMIT });
  }
}

/**
 * Reads LDIF, plain or signed. A signed file must be signed by somebody `trust` vouches for; one gestore's file signed
 * by another is refused (decisions 25).
 * @param at epoch milliseconds at which the signature must be valid
 * @throws DirectoryError, LdifError, SignatureError
 */
export async function readSource(bytes: Buffer, trust: TrustStore, at: number): Promise<BelievedFile> {
  if (!isDer(bytes)) return { ...readProviderRecords(readLdif(bytes)), ldif: bytes, signer: undefined };
  if (trust.anchors.length === 0)
    throw new DirectoryError('a signed file needs the CA it is believed on (--trust CA.pem)');
  const { content, signer } = await verifyAttached(bytes, { trust, at });
  const said = readProviderRecords(readLdif(content));
  const isOf = ({ providerName }: ProviderRecord): boolean =>
    providerName === signer.organization || providerName === signer.commonName;
  // A gestore's own signature does not make it the keeper of everyone's directory, base entry or not.
  const wholeDirectory = said.wholeDirectory && !said.records.some(isOf);
  const foreign = wholeDirectory ? undefined : said.records.find((record) => !isOf(record));
  if (foreign !== undefined) {
    throw new DirectoryError(
      `the record of ${foreign.providerName} is signed by ${signer.organization ?? signer.commonName}`,
    );
  }
  return { ...said, wholeDirectory, ldif: content, signer };
}

/** PKCS#7 in DER begins with a SEQUENCE; LDIF never does. */
const isDer = (bytes: Buffer): boolean => bytes[0] === 0x30 && bytes.length > 2 && (bytes[1] ?? 0) >= 0x80;

/** RFC 6109 5.6: the directory is reached with the gestore's own key, where the source asks for one. */
async function tlsOf({ client, trust }: Remote) {
  const identity =
    client === null ? {} : { cert: await readFile(client.cert), key: await readFile(client.key) };
  return trust === null ? identity : { ...identity, ca: [...rootCertificates, await readFile(trust)] };
}

async function download(source: Remote): Promise<Buffer> {
  const url = new URL(source.url);
  const secure = url.protocol === 'https:';
  const tls = await tlsOf(source);
  return new Promise((resolve, reject) => {
    const options = { timeout: TIMEOUT_MS, signal: AbortSignal.timeout(TIMEOUT_MS) };
    const request = secure
      ? httpsRequest(url, { ...options, ...tls, minVersion: 'TLSv1.2' })
      : httpRequest(url, options);
    request.on('error', reject);
    request.on('response', (response) => {
      if (response.statusCode !== 200) {
        response.resume();
        reject(new DirectoryError(`${source.url}: HTTP ${response.statusCode}`));
        return;
      }
      const pieces: Buffer[] = [];
      let size = 0;
      response.on('data', (piece: Buffer) => {
        size += piece.length;
        if (size > SIZE_LIMIT)
          request.destroy(new DirectoryError(`${source.url}: more than ${SIZE_LIMIT} octets`));
        else pieces.push(piece);
      });
      response.on('end', () => resolve(Buffer.concat(pieces)));
      response.on('error', reject);
    });
    request.end();
  });
}
