import { type Element, encoded, inside, Members, Tag } from './asn1.js';
import { CmsError } from './cms-error.js';
import { readOid, readSmallInteger } from './values.js';

export type HashName = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** How a signature was made. RSA is PKCS #1 v1.5 unless `pss`. */
export type SignatureScheme =
  | { readonly kind: 'rsa'; readonly hash: HashName }
  | { readonly kind: 'ecdsa'; readonly hash: HashName }
  | { readonly kind: 'pss'; readonly hash: HashName; readonly saltLength: number };

export const Oid = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  rsaEncryption: '1.2.840.113549.1.1.1',
  rsaPss: '1.2.840.113549.1.1.10',
  ecPublicKey: '1.2.840.10045.2.1',
  ecdsaSha256: '1.2.840.10045.4.3.2',
  sha256: '2.16.840.1.101.3.4.2.1',
  mgf1: '1.2.840.113549.1.1.8',
} as const;

const hashes = new Map<string, HashName>([
  ['1.3.14.3.2.26', 'sha1'],
  [Oid.sha256, 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
]);

const combined = new Map<string, SignatureScheme>([
  ['1.2.840.113549.1.1.5', { kind: 'rsa', hash: 'sha1' }],
  ['1.2.840.113549.1.1.11', { kind: 'rsa', hash: 'sha256' }],
  ['1.2.840.113549.1.1.12', { kind: 'rsa', hash: 'sha384' }],
  ['1.2.840.113549.1.1.13', { kind: 'rsa', hash: 'sha512' }],
  ['1.2.840.10045.4.1', { kind: 'ecdsa', hash: 'sha1' }],
  [Oid.ecdsaSha256, { kind: 'ecdsa', hash: 'sha256' }],
  ['1.2.840.10045.4.3.3', { kind: 'ecdsa', hash: 'sha384' }],
  ['1.2.840.10045.4.3.4', { kind: 'ecdsa', hash: 'sha512' }],
]);

/** The hash an AlgorithmIdentifier names. @throws CmsError 'unsupported' */
export function readHash(algorithm: Element): HashName {
  const oid = readOid(new Members(algorithm, 'AlgorithmIdentifier').next(Tag.oid));
  const hash = hashes.get(oid);
  if (hash === undefined) throw new CmsError('unsupported', `digest algorithm ${oid}`);
  return hash;
}

/**
 * The scheme a signature's AlgorithmIdentifier names. A bare key algorithm (`rsaEncryption`, what CMS signers
 * write, RFC 3370 3.2) takes the digest of the SignerInfo.
 * @throws CmsError 'unsupported'
 */
export function readScheme(algorithm: Element, digest?: HashName): SignatureScheme {
  const members = new Members(algorithm, 'AlgorithmIdentifier');
  const oid = readOid(members.next(Tag.oid));
  const scheme = oid === Oid.rsaPss ? readPss(members.next(Tag.sequence)) : combined.get(oid);
  if (scheme !== undefined) {
    if (digest !== undefined && scheme.hash !== digest) {
      throw new CmsError('unsupported', `digest ${digest} with a signature over ${scheme.hash}`);
    }
    return scheme;
  }
  if (digest !== undefined && oid === Oid.rsaEncryption) return { kind: 'rsa', hash: digest };
  if (digest !== undefined && oid === Oid.ecPublicKey) return { kind: 'ecdsa', hash: digest };
  throw new CmsError('unsupported', `signature algorithm ${oid}`);
}

/** RSASSA-PSS-params (RFC 4055 3.1); only MGF1 with the same hash. */
function readPss(parameters: Element): SignatureScheme {
  const members = new Members(parameters, 'RSASSA-PSS-params');
  const inner = (tag: number): Element | undefined => {
    const wrapper = members.optional(tag);
    return wrapper === undefined ? undefined : inside(wrapper);
  };
  const hashAlgorithm = inner(0xa0);
  const hash = hashAlgorithm === undefined ? 'sha1' : readHash(hashAlgorithm);
  const mask = inner(0xa1);
  const salt = inner(0xa2);
  if (mask !== undefined) {
    const generator = new Members(mask, 'MaskGenAlgorithm');
    if (readOid(generator.next(Tag.oid)) !== Oid.mgf1 || readHash(generator.next(Tag.sequence)) !== hash) {
      throw new CmsError('unsupported', 'a PSS mask other than MGF1 with the same hash');
    }
  } else if (hash !== 'sha1') throw new CmsError('unsupported', 'a PSS mask over another hash');
  const saltLength = salt === undefined ? 20 : readSmallInteger(salt);
  if (saltLength > 512) throw new CmsError('bad-value', 'a PSS salt out of range');
  return { kind: 'pss', hash, saltLength };
}

/** Whether two AlgorithmIdentifiers are the same octets (RFC 5280 4.1.1.2 wants the inner and outer one equal). */
export function sameAlgorithm(a: Element, b: Element): boolean {
  const left = encoded(a);
  const right = encoded(b);
  return left.length === right.length && left.every((octet, i) => octet === right[i]);
}
