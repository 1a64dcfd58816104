import type { ProviderRecord } from '../directory/provider-record.js';
import { type Daticert, domainOf } from '../pec/index.js';
import type { SignerInfo } from '../smime/read/index.js';
import { type DirectoryFacts, type Finding, finding } from './report.js';
import type { Snapshot, TrustMaterial } from './trust-material.js';

/** Which gestore signed, by the directory. */
export interface Origin {
  readonly directory: DirectoryFacts | null;
  readonly findings: readonly Finding[];
}

/** Looks the signing certificate up in every snapshot (RFC 6109 2.2.2, signature origin). */
export function originOf(
  signer: SignerInfo | undefined,
  daticert: Daticert | undefined,
  trust: TrustMaterial,
): Origin {
  if (signer === undefined || !trust.given) return { directory: null, findings: [] };
  if (trust.snapshots.length === 0) {
    const findings = [
      finding(
        'no-directory',
        'open',
        "Nella cartella di fiducia manca l'indice dei gestori (*.ldif o *.ldif.p7m): non si può dire se chi ha firmato fosse un gestore.",
        'The trust folder holds no directory of gestori (*.ldif or *.ldif.p7m): whether the signer was a gestore cannot be told.',
      ),
    ];
    return { directory: null, findings };
  }
  const certificate = Buffer.from(signer.certificate);
  const names = (record: ProviderRecord): boolean =>
    record.certificates.some((known) => known.equals(certificate));
  const holding = trust.snapshots.filter(({ records }) => records.some(names));
  const records = holding.flatMap((snapshot) => snapshot.records.filter(names));
  const providerName = records[0]?.providerName;
  if (providerName === undefined) return { directory: null, findings: [absent(trust.snapshots)] };
  // Secondary environments share a gestore's name (decisions 24).
  const gestori = new Set(records.map((record) => record.providerName));
  const domains = new Set(
    trust.snapshots.flatMap((snapshot) =>
      snapshot.records
        .filter((record) => gestori.has(record.providerName))
        .flatMap(({ managedDomains }) => managedDomains),
    ),
  );
  return {
    directory: {
      providerName,
      snapshots: holding.map(({ file, sha256, date, signedBy }) => ({ file, sha256, date, signedBy })),
    },
    findings: [
      present(providerName, holding),
      ...(daticert === undefined ? [] : competence(daticert, providerName, domains)),
    ],
  };
}

const absent = (snapshots: readonly Snapshot[]): Finding => {
  const files = snapshots.map(({ file }) => file).join(', ');
  return finding(
    'not-in-directory',
    'open',
    `Il certificato di chi ha firmato non è nell'indice dei gestori fornito (${files}).`,
    `The signer's certificate is not in the directory of gestori at hand (${files}).`,
  );
};

function present(name: string, snapshots: readonly Snapshot[]): Finding {
  const list = (undated: string): string =>
    snapshots.map(({ file, date }) => `${file}, ${date ?? undated}`).join('; ');
  return finding(
    'in-directory',
    'holds',
    `Il certificato è nell'indice dei gestori a nome di ${name} (${list('senza data')}).`,
    `The certificate is in the directory of gestori under ${name} (${list('undated')}).`,
  );
}

/**
 * Whether this gestore is the one that may say this (decisions 4): the sender's for what concerns sending, the
 * recipient's for what concerns delivery, either for a failed delivery (decisions 11).
 */
function competence(
  daticert: Daticert,
  providerName: string,
  domains: ReadonlySet<string>,
): readonly Finding[] {
  const manages = (address: string): boolean => domains.has(domainOf(address));
  const wanted = addressesOf(daticert);
  const held =
    daticert.tipo === 'errore-consegna' ? wanted.some(manages) : wanted.length > 0 && wanted.every(manages);
  const list = wanted.filter((address) => held || !manages(address)).join(', ');
  const findings = [
    held
      ? finding(
          'domain-managed',
          'holds',
          `Secondo l'indice, ${providerName} è il gestore competente a dirlo (${list}).`,
          `By the directory, ${providerName} is the gestore entitled to say so (${list}).`,
        )
      : finding(
          'domain-not-managed',
          'open',
          `L'indice fornito non dà a ${providerName} il dominio di: ${list}. Forse è di un'altra data, o non tocca a questo gestore dirlo.`,
          `The directory at hand does not give ${providerName} the domain of: ${list}. It may be of another date, or it is not for this gestore to say.`,
        ),
  ];
  if (squeezed(daticert.gestoreEmittente) !== squeezed(providerName)) {
    findings.push(
      finding(
        'provider-name-differs',
        'remark',
        `I dati firmati chiamano il gestore "${daticert.gestoreEmittente}", l'indice "${providerName}".`,
        `The signed data call the gestore "${daticert.gestoreEmittente}", the directory "${providerName}".`,
      ),
    );
  }
  return findings;
}

const squeezed = (name: string): string => name.replace(/\s+/g, ' ').trim().toLowerCase();

function addressesOf({ tipo, mittente, consegna, ricezione }: Daticert): readonly string[] {
  const recipient = consegna === undefined ? [] : [consegna];
  switch (tipo) {
    case 'presa-in-carico':
      return ricezione;
    case 'avvenuta-consegna':
    case 'rilevazione-virus':
      return recipient;
    case 'errore-consegna':
      return [mittente, ...recipient];
    default:
      return [mittente];
  }
}
