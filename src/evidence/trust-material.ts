import { LdifError, readLdif } from '../directory/ldif.js';
import { DirectoryError, type ProviderRecord, readProviderRecords } from '../directory/provider-record.js';
import {
  type Certificate,
  CmsError,
  type Crl,
  type CryptoPort,
  examine,
  parseSignedData,
  readCertificates,
  readCrls,
  revocationFrom,
} from '../smime/read/index.js';
import { type Finding, finding } from './report.js';
import { hexOf, isoTime } from './words.js';

/** A file of the folder of trust: `*.pem`, `*.crl`, `*.ldif`, `*.ldif.p7m`; others are not looked at. */
export interface TrustFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The directory of gestori, or one gestore's part of it, as it was once. */
export interface Snapshot {
  readonly file: string;
  /** Of the file, hexadecimal. */
  readonly sha256: string;
  /** `yyyy-mm-dd`: of the signature, else the one the name starts with. */
  readonly date: string | null;
  readonly signedBy: string | null;
  readonly records: readonly ProviderRecord[];
}

/** Whom the verifier believes. */
export interface TrustMaterial {
  /** Whether anybody handed in a folder at all. */
  readonly given: boolean;
  readonly anchors: readonly Certificate[];
  readonly crls: readonly Crl[];
  readonly snapshots: readonly Snapshot[];
  /** A revocation list was handed in that cannot be read: what it says nobody knows. */
  readonly lostLists: boolean;
  /** Files that could not be used. */
  readonly remarks: readonly Finding[];
}

export const noTrust: TrustMaterial = {
  given: false,
  anchors: [],
  crls: [],
  snapshots: [],
  lostLists: false,
  remarks: [],
};

export interface TrustPorts {
  readonly crypto: CryptoPort;
  /** Epoch milliseconds; for a signed snapshot that does not say when it was signed. */
  readonly now: number;
}

/** Reads a folder of trust. A file that cannot be used becomes a remark; nothing is thrown for what files hold. */
export async function readTrust(files: readonly TrustFile[], ports: TrustPorts): Promise<TrustMaterial> {
  const anchors: Certificate[] = [];
  const crls: Crl[] = [];
  const snapshots: Snapshot[] = [];
  const remarks: Finding[] = [];
  const take = async (suffix: string, use: (file: TrustFile) => void | Promise<void>): Promise<void> => {
    for (const file of files.filter(({ name }) => name.toLowerCase().endsWith(suffix))) {
      try {
        await use(file);
      } catch (error) {
        remarks.push(unusable(file.name, reasonOf(error)));
      }
    }
  };
  await take('.pem', ({ bytes }) => {
    // Interfaces: certificates that are no CAs are ignored.
    anchors.push(...readCertificates(bytes).filter(({ basicConstraints }) => basicConstraints?.ca === true));
  });
  const before = remarks.length;
  await take('.crl', ({ bytes }) => {
    crls.push(...readCrls(bytes));
  });
  const lostLists = remarks.length > before;
  const snapshot = async (file: TrustFile): Promise<void> => {
    const read = await readSnapshot(file, anchors, crls, ports);
    snapshots.push(read.snapshot);
    remarks.push(...read.remarks);
  };
  await take('.ldif', snapshot);
  await take('.ldif.p7m', snapshot);
  return { given: true, anchors, crls, snapshots, lostLists, remarks };
}

/** Only what files are expected to get wrong; anything else is a fault of ours. */
function reasonOf(error: unknown): string {
  const expected = error instanceof CmsError || error instanceof LdifError || error instanceof DirectoryError;
  if (!expected) throw error;
  return error.message;
}

const unusable = (file: string, why: string): Finding =>
  finding(
    'trust-file-unusable',
    'remark',
    `Il file ${file} della cartella di fiducia non è stato usato: ${why}.`,
    `The file ${file} of the trust folder was not used: ${why}.`,
  );

async function readSnapshot(
  file: TrustFile,
  anchors: readonly Certificate[],
  crls: readonly Crl[],
  ports: TrustPorts,
): Promise<{ snapshot: Snapshot; remarks: Finding[] }> {
  const { sha256 } = await ports.crypto.digests(['sha256'], [file.bytes]);
  const opened = isCms(file.bytes)
    ? await openSigned(file.bytes, anchors, crls, ports)
    : { content: file.bytes, signers: [], signingTime: undefined };
  const remarks: Finding[] = [];
  const records: ProviderRecord[] = [];
  const entries = readLdif(opened.content);
  const isBase = (dn: string): boolean => dn.toLowerCase().replace(/\s+/g, '') === 'o=postacert';
  const wholeDirectory = entries.some(({ dn }) => isBase(dn));
  // One entry at a time: a directory with one broken record still speaks for the others.
  for (const entry of entries.filter(({ dn }) => !isBase(dn))) {
    try {
      records.push(...readProviderRecords([entry]).records);
    } catch (error) {
      remarks.push(unusable(file.name, reasonOf(error)));
    }
  }
  // Decisions 25: a gestore's own file speaks only for itself. For a plain file whoever put it here vouches.
  const own = records.every(({ providerName }) => opened.signers.includes(providerName));
  if (opened.signers.length > 0 && !wholeDirectory && !own) {
    throw new DirectoryError(`it is signed by ${opened.signers.join(', ')} and speaks for others`);
  }
  const snapshot = {
    file: file.name,
    sha256: hexOf(sha256),
    date: isoTime(opened.signingTime)?.slice(0, 10) ?? dateInName(file.name),
    signedBy: opened.signers[0] ?? null,
    records,
  };
  return { snapshot, remarks };
}

/** PKCS#7 begins with a SEQUENCE; LDIF never does. */
const isCms = (bytes: Uint8Array): boolean => bytes[0] === 0x30 && (bytes[1] ?? 0) >= 0x80;

/** Snapshots are named `2026-11-22-igpec-0123456789ab.ldif` (architecture 7). */
const dateInName = (name: string): string | null => /^(\d{4}-\d\d-\d\d)(?!\d)/.exec(name)?.[1] ?? null;

async function openSigned(
  cms: Uint8Array,
  anchors: readonly Certificate[],
  crls: readonly Crl[],
  { crypto, now }: TrustPorts,
): Promise<{ content: Uint8Array; signers: string[]; signingTime: number | undefined }> {
  const { content, signer } = parseSignedData(cms);
  if (content === undefined) throw new DirectoryError('the signature has nothing in it');
  const signingTime = signer.attributes?.signingTime;
  const verdict = await examine({
    cms,
    chunks: [content],
    use: { kind: 'file' },
    // An old snapshot is what an old message needs: its certificate may have expired since.
    at: signingTime ?? now,
    anchors,
    revocation: revocationFrom(crls, crypto),
    crypto,
  });
  // Where no list is at hand the folder's owner vouches, as for a plain file.
  const faults = verdict.faults.filter(({ code }) => code !== 'revocation-unavailable');
  if (faults.length > 0) throw new DirectoryError(faults.map(({ text }) => text).join('; '));
  const names = [verdict.signer?.organization, verdict.signer?.commonName];
  return { content, signers: names.filter((name) => name !== undefined), signingTime };
}
