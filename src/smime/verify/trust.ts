import { createHash } from 'node:crypto';
import { type Certificate, readCertificate, readCertificates } from '../read/certificate.js';
import { type ChainSearch, findPaths } from '../read/chain.js';
import { readableCertificates } from '../read/verdict.js';
import { nodeCrypto } from './node-crypto.js';

/** The certification authorities believed in. Anything with its DER in `raw` will do, an X509Certificate too. */
export interface TrustStore {
  readonly anchors: readonly { readonly raw: Uint8Array }[];
}

/**
 * A trust store from files: each one DER certificate, or PEM with any number.
 * @throws CmsError when one cannot be read
 */
export const createTrustStore = (...files: readonly (Uint8Array | string)[]): TrustStore => ({
  anchors: files.flatMap((file) =>
    readCertificates(typeof file === 'string' ? Buffer.from(file, 'latin1') : file),
  ),
});

/** Certificates seen in messages and the paths found for them: as many as there are gestori, several times over. */
const MEMORY = 128;
/**
 * Octets of certificates worth remembering: a signer's and two authorities' are 6 KiB. Anybody can send others, and what is
 * read from one takes up to 25 times its size.
 */
const REMEMBERED = 16 * 1024;

/** What one trust store remembers. A new store, made when anchors change, starts empty. */
export interface TrustMemory {
  readonly anchors: readonly Certificate[];
  readCertificates(all: readonly Uint8Array[]): readonly Certificate[];
  findPaths(signer: Certificate, others: readonly Certificate[]): Promise<ChainSearch>;
}

const memories = new WeakMap<TrustStore, TrustMemory>();

export function memoryOf(trust: TrustStore): TrustMemory {
  let memory = memories.get(trust);
  if (memory === undefined) {
    memory = createMemory(trust);
    memories.set(trust, memory);
  }
  return memory;
}

function createMemory(trust: TrustStore): TrustMemory {
  const anchors = trust.anchors.map((anchor) => readCertificate(anchor.raw));
  /** Paths depend on every certificate the message brought along, so the whole bag is the key, never the signer alone. */
  const bags = new Map<string, readonly Certificate[]>();
  const searches = new WeakMap<Certificate, Promise<ChainSearch>>();
  return {
    anchors,
    readCertificates(all) {
      const key = bagKey(all);
      const known = bags.get(key);
      if (known !== undefined) {
        bags.delete(key);
        bags.set(key, known);
        return known;
      }
      // The bytes are copied: a view would keep the whole message in memory.
      const read = readableCertificates(all.map((der) => Buffer.from(der)));
      if (all.reduce((octets, der) => octets + der.length, 0) > REMEMBERED) return read;
      bags.set(key, read);
      const oldest = bags.keys().next();
      if (bags.size > MEMORY && oldest.done !== true) bags.delete(oldest.value);
      return read;
    },
    findPaths(signer, others) {
      let search = searches.get(signer);
      if (search === undefined) {
        search = findPaths(signer, others, anchors, nodeCrypto);
        searches.set(signer, search);
      }
      return search;
    },
  };
}

function bagKey(all: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  const length = Buffer.alloc(4);
  for (const der of all) {
    length.writeUInt32BE(der.length);
    hash.update(length).update(der);
  }
  return hash.digest('hex');
}
