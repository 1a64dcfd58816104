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
  type SignerInfo,
  type Verdict,
} from '../smime/read/index.js';
import { type Finding, finding } from './report.js';
import type { MessageTimes } from './times.js';
import type { TrustMaterial } from './trust-material.js';
import { instantText } from './words.js';

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
  const { signer } = verdict;
  const findings = integrity(verdict);
  if (signer !== undefined) {
    findings.push(...fitness(verdict, signer, from), ...validity(verdict, signer, times, now));
    findings.push(...chain(verdict, signer, trust), ...revocation(verdict, trust, lists.since));
  }
  return { verdict, findings };
}

/** The one address of From; empty when there is not exactly one. */
function fromAddress(outer: Header): string {
  const [field, ...others] = outer.all('From');
  const { mailboxes } = parseAddresses(field?.raw ?? '');
  return others.length === 0 && mailboxes.length === 1 ? (mailboxes[0]?.address ?? '') : '';
}

const textsOf = ({ faults }: Verdict, ...codes: readonly FaultCode[]): string[] =>
  faults.filter(({ code }) => codes.includes(code)).map(({ text }) => text);

function integrity(verdict: Verdict): Finding[] {
  const findings: Finding[] = [];
  const has = (code: FaultCode): boolean => textsOf(verdict, code).length > 0;
  if (has('malformed')) {
    findings.push(
      finding(
        'signature-unreadable',
        'refutes',
        `La firma non è valida: ${textsOf(verdict, 'malformed').join('; ')}.`,
        'The signature is not valid: what it must bear is missing or contradicts itself.',
      ),
    );
  }
  if (has('no-certificate')) {
    findings.push(
      finding(
        'no-certificate',
        'open',
        'Il certificato di chi ha firmato non è nel messaggio: la firma non si può verificare.',
        "The signer's certificate is not in the message: the signature cannot be verified.",
      ),
    );
    return findings;
  }
  if (has('digest')) {
    findings.push(
      finding(
        'altered',
        'refutes',
        'Il contenuto non è quello firmato: almeno un byte è stato cambiato dopo la firma.',
        'The content is not what was signed: at least one byte was changed after the signature.',
      ),
    );
  } else if (!has('malformed')) {
    findings.push(
      finding(
        'intact',
        'holds',
        'Il contenuto è, byte per byte, quello firmato.',
        'The content is, byte for byte, what was signed.',
      ),
    );
  }
  findings.push(
    has('signature')
      ? finding(
          'signature-wrong',
          'refutes',
          'La firma non è stata fatta con la chiave del certificato che la accompagna.',
          'The signature was not made with the key of the certificate that comes with it.',
        )
      : finding(
          'signature-genuine',
          'holds',
          'La firma è stata fatta con la chiave del certificato che la accompagna.',
          'The signature was made with the key of the certificate that comes with it.',
        ),
  );
  if (verdict.digestAlgorithm === 'sha1') {
    findings.push(
      finding(
        'weak-digest',
        'remark',
        "La firma usa l'impronta SHA-1, debole: chi scrive un testo può prepararne due con la stessa impronta; nessuno sa ancora rifare quella di un testo altrui.",
        'The signature uses the weak SHA-1 digest: who writes a text can prepare two with one digest; nobody can yet match that of a text by somebody else.',
      ),
    );
  }
  return findings;
}

function fitness(verdict: Verdict, signer: SignerInfo, from: string): Finding[] {
  const findings: Finding[] = [];
  const unfit = textsOf(verdict, 'key-usage', 'purpose');
  if (unfit.length > 0) {
    findings.push(
      finding(
        'certificate-unfit',
        'open',
        `Il certificato non serve a firmare posta: ${unfit.join('; ')}.`,
        'The certificate is not for signing mail (keyUsage or extendedKeyUsage).',
      ),
    );
  }
  const certified = signer.emails.join(', ') || '-';
  findings.push(
    textsOf(verdict, 'sender').length > 0
      ? finding(
          'address-differs',
          'open',
          `L'indirizzo in From (${from || 'illeggibile'}) non è quello del certificato (${certified}).`,
          `The address in From (${from || 'unreadable'}) is not that of the certificate (${certified}).`,
        )
      : finding(
          'address-certified',
          'holds',
          `L'indirizzo in From (${from}) è quello del certificato.`,
          `The address in From (${from}) is that of the certificate.`,
        ),
  );
  return findings;
}

function validity(verdict: Verdict, signer: SignerInfo, times: MessageTimes, now: number): Finding[] {
  const from = instantText(signer.notBefore);
  const to = instantText(signer.notAfter);
  // Certificates count in whole seconds; the last one belongs to them.
  const covers = (at: number): boolean => signer.notBefore <= at && at < signer.notAfter + 1000;
  const instants = [times.at, times.certified, times.signing].filter((at) => at !== undefined);
  const outside = instants.find((at) => !covers(at));
  if (outside !== undefined) {
    const when = instantText(outside);
    return [
      finding(
        'certificate-not-valid-then',
        'refutes',
        `Al momento del messaggio (${when.it}) il certificato non valeva: vale dal ${from.it} al ${to.it}.`,
        `At the time of the message (${when.en}) the certificate was not valid: it is from ${from.en} to ${to.en}.`,
      ),
    ];
  }
  const findings = [
    finding(
      'certificate-valid-then',
      'holds',
      `Al momento del messaggio il certificato valeva (dal ${from.it} al ${to.it}).`,
      `At the time of the message the certificate was valid (from ${from.en} to ${to.en}).`,
    ),
  ];
  const others = textsOf(verdict, 'validity');
  if (others.length > 0) {
    findings.push(
      finding(
        'authority-not-valid-then',
        'open',
        `Al momento del messaggio non valeva un certificato sopra quello del firmatario: ${others.join('; ')}.`,
        "At the time of the message a certificate above the signer's was not valid.",
      ),
    );
  }
  if (!covers(now)) {
    findings.push(
      finding(
        'certificate-since-expired',
        'remark',
        `Il certificato è scaduto dopo il messaggio (${to.it}): la firma fatta prima resta valida.`,
        `The certificate expired after the message (${to.en}): a signature made before stays valid.`,
      ),
    );
  }
  return findings;
}

function chain(verdict: Verdict, signer: SignerInfo, trust: TrustMaterial): Finding[] {
  if (!trust.given) {
    return [
      finding(
        'no-trust',
        'open',
        'Non è stata indicata una cartella di fiducia (--trust): nulla dice se fidarsi di chi ha firmato.',
        'No trust folder was given (--trust): nothing tells whether to believe who signed.',
      ),
    ];
  }
  const why = textsOf(verdict, 'untrusted');
  if (why.length > 0) {
    return [
      finding(
        'unknown-authority',
        'open',
        `Il certificato non risale a un'autorità della cartella di fiducia (emittente: ${signer.issuer}): ${why.join('; ')}.`,
        `The certificate does not lead to an authority of the trust folder (issuer: ${signer.issuer}).`,
      ),
    ];
  }
  return [
    finding(
      'chain',
      'holds',
      `Il certificato risale a un'autorità della cartella di fiducia (emittente: ${signer.issuer}).`,
      `The certificate leads to an authority of the trust folder (issuer: ${signer.issuer}).`,
    ),
  ];
}

interface Revoked {
  readonly name: string;
  readonly since: number;
}

function revocation(verdict: Verdict, trust: TrustMaterial, later: readonly Revoked[]): Finding[] {
  // Lists are only looked at along a chain that holds.
  if (!trust.given || textsOf(verdict, 'untrusted', 'validity').length > 0) return [];
  const revoked = textsOf(verdict, 'revoked');
  if (revoked.length > 0) {
    return [
      finding(
        'revoked',
        'refutes',
        `Al momento del messaggio il certificato era già revocato: ${revoked.join('; ')}.`,
        'At the time of the message the certificate, or one above it, had been revoked already.',
      ),
    ];
  }
  const findings = later.map(({ name, since }) => {
    const when = instantText(since);
    return finding(
      'revoked-since',
      'remark',
      `Il certificato ${name} è stato revocato il ${when.it}, dopo il messaggio: la firma fatta prima resta valida.`,
      `The certificate ${name} was revoked on ${when.en}, after the message: a signature made before stays valid.`,
    );
  });
  const unknown = textsOf(verdict, 'revocation-unavailable');
  const unchecked = verdict.warnings.filter(({ code }) => code === 'revocation-unchecked');
  if (unknown.length > 0) {
    findings.push(
      finding(
        'revocation-unknown',
        'open',
        `Revoca non controllata: nella cartella di fiducia manca una lista di revoca (*.crl) adatta al certificato e alla data del messaggio: ${unknown.join('; ')}.`,
        'Revocation not checked: the trust folder has no revocation list (*.crl) that fits the certificate and the date of the message.',
      ),
    );
  } else if (unchecked.length > 0) {
    findings.push(
      finding(
        'revocation-not-checked',
        'remark',
        "Revoca non controllata: il certificato non indica una lista di revoca e nella cartella di fiducia non ce n'è una.",
        'Revocation not checked: the certificate names no revocation list and the trust folder has none.',
      ),
    );
  } else {
    findings.push(
      finding(
        'not-revoked',
        'holds',
        'Al momento del messaggio il certificato non era revocato, secondo le liste fornite.',
        'At the time of the message the certificate was not revoked, by the lists at hand.',
      ),
    );
  }
  return findings;
}

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
