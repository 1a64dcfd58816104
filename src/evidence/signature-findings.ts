import { type Header, parseAddresses } from '../mime/index.js';
import {
  type Certificate,
  CmsError,
  type CryptoPort,
  examine,
  type FaultCode,
  nameText,
  parseSignedData,
  type RevocationSource,
  revocationFrom,
  type SignedMessage,
  type Verdict,
} from '../smime/read/index.js';
import { certificateFindings, type Revoked, textsOf } from './certificate-findings.js';
import { type Finding, finding } from './report.js';
import type { MessageTimes } from './times.js';
import type { TrustMaterial } from './trust-material.js';

/** The end of all lists: whatever they say of a certificate, they say before it. */
const EVER = Number.MAX_SAFE_INTEGER;

/** A signature as far as it can be read without judging it. */
export type ReadCms =
  | { readonly signingTime: number | undefined; readonly fault?: undefined }
  | { readonly signingTime: undefined; readonly fault: Finding };

/** Reads a CMS; what cannot be read becomes a finding. */
export function readCms(cms: Uint8Array): ReadCms {
  try {
    return { signingTime: parseSignedData(cms).signer.attributes?.signingTime };
  } catch (error) {
    if (!(error instanceof CmsError)) throw error;
    return { signingTime: undefined, fault: unreadable(error) };
  }
}

function unreadable({ code, message }: CmsError): Finding {
  if (code === 'signers') {
    return finding(
      'several-signers',
      'open',
      'La firma non ha un solo firmatario, come le regole vogliono: non si può dire di chi sia il messaggio.',
      'The signature does not have exactly one signer, as the rules want: whose message it is cannot be told.',
    );
  }
  if (code === 'unsupported') {
    return finding(
      'signature-unsupported',
      'open',
      `La firma usa una forma o un algoritmo che qui non si verifica (${message}).`,
      `The signature uses a form or an algorithm that is not verified here (${message}).`,
    );
  }
  return finding(
    'signature-unreadable',
    'refutes',
    `La firma è danneggiata: non è leggibile (${message}).`,
    `The signature is damaged: it cannot be read (${message}).`,
  );
}

export interface SignatureStudy {
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
}

/** Examines the signature of a message at the time the message gives itself. */
export async function studySignature(input: {
  readonly signed: SignedMessage;
  readonly outer: Header;
  readonly times: MessageTimes;
  readonly trust: TrustMaterial;
  readonly crypto: CryptoPort;
  readonly now: number;
}): Promise<SignatureStudy> {
  const { signed, times, trust, crypto, now } = input;
  const from = fromAddress(input.outer);
  const lists = revocationMemory(revocationFrom(trust.crls, crypto));
  const verdict = await examine({
    cms: signed.cms,
    chunks: signed.entity.chunks(),
    use: { kind: 'mail', from },
    at: times.at,
    anchors: trust.anchors,
    revocation: lists.source,
    crypto,
  });
  const findings = [
    ...integrity(verdict),
    ...certificateFindings({ verdict, from, times, trust, now, revokedSince: lists.since }),
  ];
  return { verdict, findings };
}

/** The one address of From; empty when there is not exactly one. */
function fromAddress(outer: Header): string {
  const [field, ...others] = outer.all('From');
  const { mailboxes } = parseAddresses(field?.raw ?? '');
  return others.length === 0 && mailboxes.length === 1 ? (mailboxes[0]?.address ?? '') : '';
}

function integrity(verdict: Verdict): Finding[] {
  const has = (code: FaultCode): boolean => textsOf(verdict, code).length > 0;
  const malformed = has('malformed') ? [contradictory(textsOf(verdict, 'malformed'))] : [];
  if (has('no-certificate')) return [...malformed, withoutCertificate];
  const content = has('digest') ? [altered] : has('malformed') ? [] : [intact];
  const weak = verdict.digestAlgorithm === 'sha1' ? [weakDigest] : [];
  return [...malformed, ...content, has('signature') ? wrong : genuine, ...weak];
}

const contradictory = (faults: readonly string[]): Finding =>
  finding(
    'signature-unreadable',
    'refutes',
    `La firma non è valida: ${faults.join('; ')}.`,
    'The signature is not valid: what it must bear is missing or contradicts itself.',
  );

const withoutCertificate = finding(
  'no-certificate',
  'open',
  'Il certificato di chi ha firmato non è nel messaggio: la firma non si può verificare.',
  "The signer's certificate is not in the message: the signature cannot be verified.",
);

const altered = finding(
  'altered',
  'refutes',
  'Il contenuto non è quello firmato: almeno un byte è stato cambiato dopo la firma.',
  'The content is not what was signed: at least one byte was changed after the signature.',
);

const intact = finding(
  'intact',
  'holds',
  'Il contenuto è, byte per byte, quello firmato.',
  'The content is, byte for byte, what was signed.',
);

const wrong = finding(
  'signature-wrong',
  'refutes',
  'La firma non è stata fatta con la chiave del certificato che la accompagna.',
  'The signature was not made with the key of the certificate that comes with it.',
);

const genuine = finding(
  'signature-genuine',
  'holds',
  'La firma è stata fatta con la chiave del certificato che la accompagna.',
  'The signature was made with the key of the certificate that comes with it.',
);

const weakDigest = finding(
  'weak-digest',
  'remark',
  "La firma usa l'impronta SHA-1, debole: chi scrive un testo può prepararne due con la stessa impronta; nessuno sa ancora rifare quella di un testo altrui.",
  'The signature uses the weak SHA-1 digest: who writes a text can prepare two with one digest; nobody can yet match that of a text by somebody else.',
);

/** Lists at hand that also tell of what was revoked later than the instant asked about. */
function revocationMemory(lists: RevocationSource): { source: RevocationSource; since: readonly Revoked[] } {
  const found = new Map<Certificate, Revoked>();
  const source: RevocationSource = {
    async check(certificate, issuer, at) {
      const answer = await lists.check(certificate, issuer, at);
      if (answer.status === 'revoked') return answer;
      const last = await lists.check(certificate, issuer, EVER);
      if (last.status !== 'revoked') return answer;
      found.set(certificate, { name: nameText(certificate.subject), since: last.since });
      // A list that dates the revocation later says that until then there was none.
      return { status: 'good' };
    },
  };
  return {
    source,
    get since() {
      return [...found.values()];
    },
  };
}
