import { createPrivateKey, type KeyObject } from 'node:crypto';
import forge from 'node-forge';

/** What a PKCS#12 file holds. */
export interface Pkcs12 {
  readonly key: KeyObject;
  /** DER. */
  readonly certificates: readonly Buffer[];
}

/**
 * Opens a PKCS#12 with node-forge, which reads RC2 and 3DES, that CAs still ship and OpenSSL 3 no longer opens by itself.
 * @throws Error when it cannot be read, the passphrase is wrong, or it does not hold exactly one key
 */
export function openPkcs12(der: Buffer, passphrase: string): Pkcs12 {
  const asn1 = forge.asn1.fromDer(forge.util.createBuffer(der.toString('latin1')));
  const safe = forge.pkcs12.pkcs12FromAsn1(asn1, false, passphrase);
  const bags = safe.safeContents.flatMap((contents) => contents.safeBags);
  const keys = bags.filter((bag) => keyBags.includes(bag.type));
  const [key] = keys;
  if (key === undefined || keys.length > 1) throw new Error(`${keys.length} keys in the PKCS#12, not one`);
  return {
    key: readKey(key),
    certificates: bags.filter((bag) => bag.type === forge.pki.oids.certBag).map(readCertificate),
  };
}

const keyBags: readonly (string | undefined)[] = [forge.pki.oids.keyBag, forge.pki.oids.pkcs8ShroudedKeyBag];

const toBuffer = (asn1: forge.asn1.Asn1): Buffer => Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'latin1');

/** forge knows RSA keys only; of others it gives the PKCS#8 as it stands. */
function readKey(bag: forge.pkcs12.Bag): KeyObject {
  if (bag.key) return createPrivateKey(forge.pki.privateKeyToPem(bag.key));
  if (bag.asn1 === undefined) throw new Error('the key of the PKCS#12 cannot be read');
  return createPrivateKey({ key: toBuffer(bag.asn1), format: 'der', type: 'pkcs8' });
}

function readCertificate(bag: forge.pkcs12.Bag): Buffer {
  const asn1 = bag.cert ? forge.pki.certificateToAsn1(bag.cert) : bag.asn1;
  if (asn1 === undefined) throw new Error('a certificate of the PKCS#12 cannot be read');
  return toBuffer(asn1);
}
