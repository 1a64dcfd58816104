import type { Errore, ReceiptType, Recipient, Tipo } from '../pec/index.js';

/** The same thing said twice, in plain words. Texts from the message are in it as they stand: clean them to show them. */
export interface Sentence {
  readonly it: string;
  readonly en: string;
}

/**
 * PROVEN: everything asked holds. REFUTED: something speaks against the file. INDETERMINATE: nothing does, but what is
 * at hand (trust, directory, lists of revoked certificates, the file itself) does not settle it.
 */
export type Verdict = 'PROVEN' | 'INDETERMINATE' | 'REFUTED';

/** What a finding does to the verdict; a remark does nothing, but whoever relies on the file should know. */
export type Weight = 'holds' | 'remark' | 'open' | 'refutes';

export type FindingCode =
  // the file
  | 'unreadable'
  | 'not-judged'
  | 'mbox-unquoted'
  | 'mbox-quoting-unclear'
  | 'line-ends-restored'
  | 'line-ends-mixed'
  | 'not-signed'
  | 'not-pec'
  // the signature
  | 'signature-unreadable'
  | 'signature-unsupported'
  | 'several-signers'
  | 'no-certificate'
  | 'intact'
  | 'altered'
  | 'signature-genuine'
  | 'signature-wrong'
  | 'weak-digest'
  // the certificate
  | 'address-certified'
  | 'address-differs'
  | 'certificate-unfit'
  | 'certificate-valid-then'
  | 'certificate-not-valid-then'
  | 'certificate-since-expired'
  | 'no-trust'
  | 'chain'
  | 'unknown-authority'
  | 'authority-not-valid-then'
  | 'not-revoked'
  | 'revoked'
  | 'revoked-since'
  | 'revocation-unknown'
  | 'revocation-not-checked'
  // the gestore
  | 'in-directory'
  | 'no-directory'
  | 'not-in-directory'
  | 'domain-managed'
  | 'domain-not-managed'
  | 'provider-name-differs'
  | 'trust-file-unusable'
  // time
  | 'signing-time-agrees'
  | 'signing-time-differs'
  | 'signing-time-absent'
  | 'time-unknown'
  | 'time-in-future'
  // form
  | 'form-holds'
  | 'form-broken'
  | 'outer-header-unsigned'
  | 'outer-header-differs'
  // the original that was handed in
  | 'original-same'
  | 'original-same-hashes'
  | 'original-differs'
  | 'original-header-differs'
  | 'original-not-comparable'
  | 'original-message-id-differs'
  | 'original-line-ends-restored'
  // the attachments that were handed in
  | 'file-hash-same'
  | 'file-hash-not-found'
  | 'file-not-supplied';

/** One thing that was looked at. */
export interface Finding extends Sentence {
  readonly code: FindingCode;
  readonly weight: Weight;
}

/** What the message is: `tipo` of its signed data, or what it is without them. */
export type Kind = Tipo | 'anomalia' | 'firmato' | 'ordinario' | 'illeggibile';

/** A named part of the original, or what a brief receipt has in its place. */
export interface ContentPart {
  readonly name: string;
  /** Octets of the decoded part; null where only its hash is there. */
  readonly octets: number | null;
  /** Hexadecimal: of the decoded part. */
  readonly sha256: string | null;
  /** Hexadecimal, of the part as it was encoded: the `.hash` of a brief receipt (RFC 6109 3.3.2.2). */
  readonly sha1: string | null;
}

/** The original message as the evidence carries it (postacert.eml). */
export interface CarriedOriginal {
  readonly octets: number;
  /** Hexadecimal, of postacert.eml as it was signed. */
  readonly sha256: string;
  readonly parts: readonly ContentPart[];
}

/** The signed certification data (daticert.xml, RFC 6109 4.4). */
export interface CertifiedFacts {
  readonly tipo: Tipo;
  readonly errore: Errore;
  readonly provider: string;
  /** As written: legal time of the gestore. */
  readonly giorno: string;
  readonly ora: string;
  readonly zona: string;
  /** ISO 8601; null when the above is no date. */
  readonly time: string | null;
  readonly identificativo: string;
  readonly messageId: string | null;
  readonly sender: string;
  readonly recipients: readonly Recipient[];
  readonly subject: string | null;
  readonly receipt: ReceiptType | null;
  /** What an avvenuta-consegna really is: a Cc recipient's is concise whatever was asked (decisions 28). */
  readonly receiptForm: ReceiptType | null;
  /** The one recipient it is about. */
  readonly recipient: string | null;
  readonly takenInCharge: readonly string[];
  readonly errorText: string | null;
}

/** Who signed. Times are ISO 8601. */
export interface SignatureFacts {
  /** SHA-256 of the signed entity, hexadecimal. */
  readonly entitySha256: string;
  readonly digestAlgorithm: string | null;
  readonly signingTime: string | null;
  readonly signer: {
    readonly organization: string | null;
    readonly commonName: string | null;
    readonly emails: readonly string[];
    readonly issuer: string;
    /** Of the DER certificate, hexadecimal; SHA-1 is how the directory names it. */
    readonly sha1: string;
    readonly sha256: string;
    readonly notBefore: string;
    readonly notAfter: string;
  } | null;
}

/** Where the directory names the signer. */
export interface DirectoryFacts {
  readonly providerName: string;
  readonly snapshots: readonly {
    readonly file: string;
    /** Of the file, hexadecimal. */
    readonly sha256: string;
    /** `yyyy-mm-dd`, from the file's signature or its name. */
    readonly date: string | null;
    readonly signedBy: string | null;
  }[];
}

/** What one file proves. */
export interface EvidenceReport {
  readonly file: string;
  readonly verdict: Verdict;
  readonly kind: Kind;
  readonly title: Sentence;
  /** Why the verdict is not PROVEN: what refutes first, then what stays open. */
  readonly reasons: readonly Finding[];
  readonly remarks: readonly Finding[];
  readonly checks: readonly Finding[];
  /** What the message says, whoever may believe it: proven only when the verdict is PROVEN. */
  readonly attests: readonly Sentence[];
  readonly doesNotProve: readonly Sentence[];
  readonly certified: CertifiedFacts | null;
  readonly original: CarriedOriginal | null;
  readonly signature: SignatureFacts | null;
  readonly directory: DirectoryFacts | null;
  /** PEC messages found inside, each judged by itself; they do not touch this verdict. */
  readonly nested: readonly EvidenceReport[];
}

export const finding = (code: FindingCode, weight: Weight, it: string, en: string): Finding => ({
  code,
  weight,
  it,
  en,
});

/** The verdict of a list of findings. */
export function verdictOf(findings: readonly Finding[]): Verdict {
  if (findings.some(({ weight }) => weight === 'refutes')) return 'REFUTED';
  return findings.some(({ weight }) => weight === 'open') ? 'INDETERMINATE' : 'PROVEN';
}

/** Findings as a report sorts them. */
export const sorted = (
  findings: readonly Finding[],
): Pick<EvidenceReport, 'verdict' | 'reasons' | 'remarks' | 'checks'> => {
  const of = (wanted: Weight): Finding[] => findings.filter(({ weight }) => weight === wanted);
  return {
    verdict: verdictOf(findings),
    reasons: [...of('refutes'), ...of('open')],
    remarks: of('remark'),
    checks: of('holds'),
  };
};
