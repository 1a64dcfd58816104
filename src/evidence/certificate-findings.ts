import type { FaultCode, SignerInfo, Verdict } from '../smime/read/index.js';
import { type Finding, finding } from './report.js';
import type { MessageTimes } from './times.js';
import type { TrustMaterial } from './trust-material.js';
import { instantText } from './words.js';

/** A certificate of the chain that was revoked after the message, epoch milliseconds. */
export interface Revoked {
  readonly name: string;
  readonly since: number;
}

/** The Italian texts of the faults with these codes. */
export const textsOf = ({ faults }: Verdict, ...codes: readonly FaultCode[]): string[] =>
  faults.filter(({ code }) => codes.includes(code)).map(({ text }) => text);

/** What the signer's certificate is worth at the time of the message; nothing when there is none. */
export function certificateFindings(input: {
  readonly verdict: Verdict;
  /** The address in From. */
  readonly from: string;
  readonly times: MessageTimes;
  readonly trust: TrustMaterial;
  readonly now: number;
  readonly revokedSince: readonly Revoked[];
}): Finding[] {
  const { verdict, from, times, trust, now } = input;
  const { signer } = verdict;
  if (signer === undefined) return [];
  return [
    ...fitness(verdict, signer, from),
    ...validity(verdict, signer, times, now),
    ...chain(verdict, signer, trust),
    ...revocation(verdict, trust, input.revokedSince),
  ];
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
  return [...later.map(revokedSince), unrevoked(verdict, trust)];
}

function revokedSince({ name, since }: Revoked): Finding {
  const when = instantText(since);
  return finding(
    'revoked-since',
    'remark',
    `Il certificato ${name} è stato revocato il ${when.it}, dopo il messaggio: la firma fatta prima resta valida.`,
    `The certificate ${name} was revoked on ${when.en}, after the message: a signature made before stays valid.`,
  );
}

/** Interfaces: without pointer and list it is "not checked" and may be proven. */
function unrevoked(verdict: Verdict, trust: TrustMaterial): Finding {
  const unknown = textsOf(verdict, 'revocation-unavailable');
  const unchecked = verdict.warnings.some(({ code }) => code === 'revocation-unchecked');
  if (unknown.length > 0) {
    return finding(
      'revocation-unknown',
      'open',
      `Revoca non controllata: nella cartella di fiducia manca una lista di revoca (*.crl) adatta al certificato e alla data del messaggio: ${unknown.join('; ')}.`,
      'Revocation not checked: the trust folder has no revocation list (*.crl) that fits the certificate and the date of the message.',
    );
  }
  if (unchecked && trust.lostLists) {
    return finding(
      'revocation-unknown',
      'open',
      'Revoca non controllata: una lista di revoca della cartella di fiducia non è leggibile.',
      'Revocation not checked: a revocation list of the trust folder cannot be read.',
    );
  }
  if (unchecked) {
    return finding(
      'revocation-not-checked',
      'remark',
      "Revoca non controllata: il certificato non indica una lista di revoca e nella cartella di fiducia non ce n'è una che lo riguardi.",
      'Revocation not checked: the certificate names no revocation list and the trust folder has none about it.',
    );
  }
  return finding(
    'not-revoked',
    'holds',
    'Al momento del messaggio il certificato non era revocato, secondo le liste fornite.',
    'At the time of the message the certificate was not revoked, by the lists at hand.',
  );
}
