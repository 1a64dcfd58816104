import type { Directory, ProviderRecord } from '../directory/index.js';
import { type Header, parseAddresses, readHeader } from '../mime/index.js';
import {
  classify,
  type Daticert,
  domainOf,
  type LegalTime,
  readAnomaly,
  readEnvelope,
  readNotification,
} from '../pec/index.js';
import type { Rope } from '../rope/index.js';
import { readSigned, type SignedMessage, type Verdict } from '../smime/index.js';
import type { Arrival } from './arrival.js';

/** What a message turned out to be (RFC 6109 2.2.2, decisions 21). */
export type Inspection =
  | {
      readonly kind: 'envelope';
      readonly header: Header;
      readonly origin: ProviderRecord;
      readonly daticert: Daticert;
      readonly postacert: Rope;
      readonly postacertHeader: Header;
      /** SHA-256 of the signed entity, hex. */
      readonly digest: string;
    }
  | {
      readonly kind: 'notification';
      readonly header: Header;
      readonly origin: ProviderRecord;
      readonly daticert: Daticert;
      readonly digest: string;
    }
  /** Signed by a gestore, of a form that is not PEC's. */
  | {
      readonly kind: 'malformed';
      readonly header: Header;
      readonly origin: ProviderRecord;
      readonly reason: string;
    }
  /** A peer's anomaly envelope: delivered as it is, and nothing follows (decisions 8). */
  | { readonly kind: 'anomaly'; readonly header: Header; readonly origin: ProviderRecord }
  | { readonly kind: 'ordinary'; readonly header: Header; readonly reason: string }
  /** Revocation could not be checked: the peer is asked to come back (decisions 21). */
  | { readonly kind: 'later'; readonly reason: string };

export interface Inspector {
  readonly directory: Directory;
  /** Signature validity at an instant: digest, chain, revocation, profile (architecture 6). */
  readonly verify: (signed: SignedMessage, from: string, at: number) => Promise<Verdict>;
}

/** Verifies existence, origin, validity and form, in this order; looks nothing up by a name that is not yet verified. */
export async function inspect(inspector: Inspector, arrival: Arrival, time: LegalTime): Promise<Inspection> {
  const header = await readHeader(arrival.message);
  const claim = classify(header);
  const signed = await readSigned(arrival.message, header);
  if (signed === undefined)
    return { kind: 'ordinary', header, reason: 'il messaggio non è firmato da un gestore' };

  const from = soleAuthor(header);
  if (from === undefined) {
    return { kind: 'ordinary', header, reason: 'il campo From non contiene un solo indirizzo email' };
  }
  const verdict = await inspector.verify(signed, from, time.epochMs);
  const origin = originOf(inspector.directory, verdict, from);
  if (origin === undefined) {
    return {
      kind: 'ordinary',
      header,
      reason: 'la firma digitale del messaggio non appartiene a un gestore di posta certificata',
    };
  }
  const fault = verdict.faults[0];
  if (verdict.temporary) return { kind: 'later', reason: fault?.text ?? 'lista di revoca non disponibile' };
  if (fault !== undefined) return { kind: 'ordinary', header, reason: fault.text };
  return byForm(arrival, header, claim, signed.entity, origin, verdict.entityDigest, inspector.directory);
}

/**
 * An anomaly envelope is bound to nobody, and its outer header is not signed: it is passed on as it is (decisions 8) only
 * where that header says on its face what it is (RFC 6109 3.2.2).
 */
function disguise(header: Header): string | undefined {
  const [author] = parseAddresses(header.raw('From') ?? '').mailboxes;
  const open =
    author?.name.startsWith('Per conto di: ') && header.text('Subject')?.startsWith('ANOMALIA MESSAGGIO:');
  return open ? undefined : 'la busta di anomalia di un altro gestore non si presenta come tale';
}

/** The address in From, if it is the only one: with a second one nobody knows which of them a program shows. */
function soleAuthor(header: Header): string | undefined {
  const [field, ...others] = header.all('From');
  if (field === undefined || others.length > 0) return undefined;
  const { mailboxes, valid } = parseAddresses(field.raw);
  return valid && mailboxes.length === 1 ? mailboxes[0]?.address : undefined;
}

/** Signature origin (RFC 6109 2.2.2): the certificate is in the directory, and its record manages From's domain. */
function originOf(directory: Directory, verdict: Verdict, from: string): ProviderRecord | undefined {
  if (verdict.signer === undefined) return undefined;
  const domain = domainOf(from);
  return directory
    .byCertificate(verdict.signer.certificate)
    .find((record) => record.managedDomains.includes(domain));
}

async function byForm(
  arrival: Arrival,
  header: Header,
  claim: ReturnType<typeof classify>,
  entity: Rope,
  origin: ProviderRecord,
  digest: string,
  directory: Directory,
): Promise<Inspection> {
  switch (claim.kind) {
    case 'ordinary':
      return { kind: 'malformed', header, origin, reason: claim.fault };
    case 'anomaly': {
      const { faults } = await readAnomaly(entity);
      const reason = faults[0] ?? disguise(header);
      return reason === undefined
        ? { kind: 'anomaly', header, origin }
        : { kind: 'malformed', header, origin, reason };
    }
    case 'envelope': {
      const form = await readEnvelope(header, entity, arrival.mailFrom);
      const [reason] = form.faults;
      if (reason !== undefined || !form.daticert || !form.postacert || !form.postacertHeader) {
        return { kind: 'malformed', header, origin, reason: reason ?? 'la busta è incompleta' };
      }
      if (!manages(directory, origin, form.daticert.mittente)) {
        return { kind: 'malformed', header, origin, reason: foreignSender(form.daticert.mittente, origin) };
      }
      const { daticert, postacert, postacertHeader } = form;
      return { kind: 'envelope', header, origin, daticert, postacert, postacertHeader, digest };
    }
    case 'notification': {
      const form = await readNotification(header, entity);
      const [reason] = form.faults;
      if (reason !== undefined || form.daticert === undefined) {
        return { kind: 'malformed', header, origin, reason: reason ?? 'la notifica è incompleta' };
      }
      return { kind: 'notification', header, origin, daticert: form.daticert, digest };
    }
  }
}

/** A gestore seals only for the domains it manages; one certificate may serve several of its records (decisions 24). */
function manages(directory: Directory, origin: ProviderRecord, sender: string): boolean {
  return directory.byDomain(domainOf(sender))?.providerName === origin.providerName;
}

const foreignSender = (sender: string, origin: ProviderRecord): string =>
  `il dominio del mittente ${sender} non è gestito da ${origin.providerName}`;
