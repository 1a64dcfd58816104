/** The data of a report as labelled rows, the same for every way of showing it. */
import type { EvidenceReport, Sentence, Verdict } from '../report.js';

export interface Row {
  readonly label: Sentence;
  readonly values: readonly string[];
}

export const verdictWords: Readonly<Record<Verdict, Sentence>> = {
  PROVEN: { it: 'PROVATO', en: 'PROVEN' },
  INDETERMINATE: { it: 'INDETERMINATO', en: 'INDETERMINATE' },
  REFUTED: { it: 'SMENTITO', en: 'REFUTED' },
};

export const verdictMeaning: Readonly<Record<Verdict, Sentence>> = {
  PROVEN: {
    it: 'Tutto ciò che si è potuto controllare regge.',
    en: 'All that could be checked holds.',
  },
  INDETERMINATE: {
    it: 'Nulla smentisce il file, ma ciò che si ha a disposizione non basta a provarlo.',
    en: 'Nothing speaks against the file, but what is at hand does not suffice to prove it.',
  },
  REFUTED: {
    it: 'Il file non è ciò che dice di essere: non prova nulla.',
    en: 'The file is not what it says it is: it proves nothing.',
  },
};

/** The heading over what the message says: it is proven only in one case. */
export const attestsHeading: Readonly<Record<Verdict, Sentence>> = {
  PROVEN: { it: 'Che cosa prova', en: 'What it proves' },
  INDETERMINATE: {
    it: 'Che cosa dice, e proverebbe una volta chiariti i motivi qui sopra',
    en: 'What it says, and would prove once the reasons above are settled',
  },
  REFUTED: { it: 'Che cosa dice, senza provarlo', en: 'What it says without proving it' },
};

const row = (it: string, en: string, ...values: readonly (string | null | undefined)[]): Row[] => {
  const present = values.filter((value): value is string => value !== null && value !== undefined);
  return present.length === 0 ? [] : [{ label: { it, en }, values: present }];
};

export const dataRows = (report: EvidenceReport): Row[] => [
  ...certifiedRows(report),
  ...originalRows(report),
  ...signatureRows(report),
];

function certifiedRows({ certified }: EvidenceReport): Row[] {
  if (certified === null) return [];
  return [
    ...row('Identificativo', 'Identifier', certified.identificativo),
    ...row(
      'Data e ora certificate',
      'Certified time',
      `${certified.giorno} ${certified.ora} ${certified.zona}`,
    ),
    ...row('Gestore, secondo i dati firmati', 'Gestore, by the signed data', certified.provider),
    ...row('Mittente', 'Sender', certified.sender),
    ...row(
      'Destinatari',
      'Recipients',
      ...certified.recipients.map(({ address, kind }) => `${address} (${kind})`),
    ),
    ...row('Oggetto', 'Subject', certified.subject),
    ...row('Message-ID del mittente', "Sender's Message-ID", certified.messageId),
    ...row('Ricevuta richiesta', 'Receipt asked for', certified.receipt),
    ...row('Riguarda il destinatario', 'About the recipient', certified.recipient),
    ...row('Presi in carico', 'Taken in charge', ...certified.takenInCharge),
    ...row('Errore', 'Error', certified.errore === 'nessuno' ? null : certified.errore, certified.errorText),
  ];
}

function originalRows({ original }: EvidenceReport): Row[] {
  if (original === null) return [];
  const parts = original.parts.map(({ name, octets, sha256, sha1 }) => {
    if (sha1 !== null) return `${name}: SHA-1 ${sha1}`;
    return sha256 === null ? name : `${name}: ${octets} byte, SHA-256 ${sha256}`;
  });
  return [
    ...row('Messaggio contenuto', 'Message inside', `${original.octets} byte`, `SHA-256 ${original.sha256}`),
    ...row('Allegati', 'Attachments', ...parts),
  ];
}

function signatureRows({ signature, directory }: EvidenceReport): Row[] {
  const signer = signature?.signer;
  const snapshots = directory?.snapshots ?? [];
  return [
    ...row(
      'Impronta SHA-256 del contenuto firmato',
      'SHA-256 of the signed content',
      signature?.entitySha256,
    ),
    ...row('Ora della firma', 'Time of the signature', signature?.signingTime),
    ...row(
      'Firmatario',
      'Signer',
      signer && [signer.organization, signer.commonName].filter((name) => name !== null).join(', '),
      ...(signer?.emails ?? []),
    ),
    ...row('Emittente del certificato', 'Issuer of the certificate', signer?.issuer),
    ...row(
      'Validità del certificato',
      'Validity of the certificate',
      signer && `${signer.notBefore} - ${signer.notAfter}`,
    ),
    ...row(
      'Impronte del certificato',
      'Digests of the certificate',
      signer && `SHA-1 ${signer.sha1}`,
      signer && `SHA-256 ${signer.sha256}`,
    ),
    ...row(
      'Indice dei gestori',
      'Directory of gestori',
      directory?.providerName,
      ...snapshots.flatMap(({ file, sha256, date, signedBy }) => [
        [file, date, signedBy].filter((text) => text !== null).join(', '),
        `SHA-256 ${sha256}`,
      ]),
    ),
  ];
}

/**
 * Text that came from a stranger, safe to show: control characters, which could drive a terminal, and those that turn
 * the direction of reading, which could make a name look like another, are made visible.
 */
export const visible = (text: string): string =>
  text
    .replace(/[\t\r\n]+/g, ' ')
    .replace(
      /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g,
      '\ufffd',
    )
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
