/**
 * The formal correctness of what other gestori send (RFC 6109 2.2.2, 4.3, 4.4). It is asked once existence, origin and
 * validity of the signature hold; daticert then decides what the message is, and the unsigned outer header has to
 * agree with it (decisions 5).
 */
import {
  decodeBody,
  type Header,
  MimeError,
  type Part,
  parseAddresses,
  readHeader,
  readStructure,
} from '../mime/index.js';
import type { Rope } from '../rope/index.js';
import { readDaticert } from './daticert-read.js';
import { formReasons as reasons } from './reasons.js';
import { sameAddress } from './recipients.js';
import { type Daticert, DaticertError, type Tipo } from './types.js';

/** Octets of an encoded daticert.xml. */
const DATICERT_LIMIT = 1536 * 1024;

/** RFC 6109 3.1.2, 3.1.3, 3.1.6, 3.2.3: the original message MUST NOT be included. */
const WITHOUT_ORIGINAL: readonly Tipo[] = [
  'non-accettazione',
  'preavviso-errore-consegna',
  'rilevazione-virus',
];
/** Kinds that say all went well. */
const POSITIVE: readonly Tipo[] = [
  'posta-certificata',
  'accettazione',
  'presa-in-carico',
  'avvenuta-consegna',
];
/** RFC 6109 4.4: the kinds that speak of one recipient. */
const ABOUT_ONE_RECIPIENT: readonly Tipo[] = [
  'avvenuta-consegna',
  'errore-consegna',
  'preavviso-errore-consegna',
  'rilevazione-virus',
];

/** What the signed entity holds, as far as it could be read. */
export interface FormReading {
  /** Absent when there is none, or none that is valid. */
  readonly daticert?: Daticert;
  /** The body of the postacert.eml part, exactly as it was signed. */
  readonly postacert?: Rope;
  readonly postacertHeader?: Header;
  /** Italian; empty when the form holds. */
  readonly faults: readonly string[];
}

/** A reading under way. */
interface Draft {
  daticert?: Daticert;
  postacert?: Rope;
  postacertHeader?: Header;
  faults: string[];
}

/**
 * Reads a transport envelope (RFC 6109 3.1.5).
 * @param outer the unsigned header of the message
 * @param entity the signed entity, its MIME header included
 * @param mailFrom the envelope's reverse path: the user's own address (RFC 6109 3.1.5, routing data unaltered);
 *   undefined when it is no longer known, as in a file that was kept
 * @throws only what reading the rope throws
 */
export async function readEnvelope(
  outer: Header,
  entity: Rope,
  mailFrom: string | undefined,
): Promise<FormReading> {
  const draft = await readParts(entity, true);
  const { daticert } = draft;
  if (daticert === undefined) return draft;
  draft.faults.push(
    ...kindFaults(outer, 'X-Trasporto', daticert, daticert.tipo === 'posta-certificata'),
    ...contentFaults(daticert),
    ...envelopeFaults(outer, daticert, mailFrom),
    ...postacertFaults(draft, daticert),
  );
  return draft;
}

/**
 * Reads a notification. Its reverse path is the gestore's (pec-format 1.1) and proves nothing, so it is not asked for.
 * @param outer the unsigned header of the message
 * @param entity the signed entity, its MIME header included
 * @throws only what reading the rope throws
 */
export async function readNotification(outer: Header, entity: Rope): Promise<FormReading> {
  const draft = await readParts(entity, false);
  const { daticert } = draft;
  if (daticert === undefined) return draft;
  draft.faults.push(
    ...kindFaults(outer, 'X-Ricevuta', daticert, daticert.tipo !== 'posta-certificata'),
    ...contentFaults(daticert),
    ...postacertFaults(draft, daticert),
  );
  if (authorsOf(outer).length !== 1) draft.faults.push(reasons.fromInvalid);
  if (draft.postacert !== undefined && WITHOUT_ORIGINAL.includes(daticert.tipo)) {
    draft.faults.push(reasons.postacertForbidden(daticert.tipo));
  }
  return draft;
}

/**
 * Reads a peer's anomaly envelope (RFC 6109 3.2.2): nothing is certified, so it has no daticert. One that has is an
 * envelope or a notification under another name (decisions 5).
 * @throws only what reading the rope throws
 */
export async function readAnomaly(entity: Rope): Promise<FormReading> {
  const parts = await topLevelParts(entity);
  if (parts === undefined) return { faults: [reasons.unreadable] };
  return { faults: named(parts, 'daticert.xml').length > 0 ? [reasons.daticertUnexpected] : [] };
}

// ---------------------------------------------------------------------------------------------------------- parts

/**
 * RFC 6109 4.3: multipart/mixed, the readable text first, daticert.xml and postacert.eml in either order. Other parts
 * "MAY be included by the provider".
 */
async function readParts(entity: Rope, originalDemanded: boolean): Promise<Draft> {
  const parts = await topLevelParts(entity);
  if (parts === undefined) return { faults: [reasons.unreadable] };
  const draft: Draft = { faults: [] };
  const [first] = parts;
  if (first === undefined) return { faults: [reasons.notMixed] };
  if (!isReadableText(first)) draft.faults.push(reasons.noText);
  await takeDaticert(entity, named(parts, 'daticert.xml'), draft);
  const originals = named(parts, 'postacert.eml');
  if (originals.length === 0 && originalDemanded) draft.faults.push(reasons.postacertAbsent);
  await takePostacert(entity, originals, draft);
  return draft;
}

/** The children of the multipart/mixed; empty when it is of another type, undefined when it cannot be read. */
async function topLevelParts(entity: Rope): Promise<readonly Part[] | undefined> {
  try {
    const structure = await readStructure(entity);
    return isType(structure, 'multipart/mixed') ? structure.children : [];
  } catch (error) {
    if (error instanceof MimeError) return undefined;
    throw error;
  }
}

async function takeDaticert(entity: Rope, found: readonly Part[], draft: Draft): Promise<void> {
  const [part] = found;
  if (part === undefined || found.length > 1) {
    draft.faults.push(part === undefined ? reasons.daticertAbsent : reasons.daticertRepeated);
    return;
  }
  if (!isType(part, 'application/xml') && !isType(part, 'text/xml')) draft.faults.push(reasons.daticertType);
  if (part.end - part.bodyStart > DATICERT_LIMIT) {
    draft.faults.push(reasons.daticertTooLarge);
    return;
  }
  try {
    const body = entity.slice(part.bodyStart, part.end);
    const xml = await decodeBody(body, part.header.raw('Content-Transfer-Encoding'), DATICERT_LIMIT);
    draft.daticert = readDaticert(xml);
  } catch (error) {
    if (!(error instanceof DaticertError || error instanceof MimeError)) throw error;
    draft.faults.push(
      reasons.daticertInvalid(error instanceof DaticertError ? error.message : 'codifica errata'),
    );
  }
}

async function takePostacert(entity: Rope, found: readonly Part[], draft: Draft): Promise<void> {
  const [part] = found;
  if (part === undefined) return;
  if (found.length > 1) {
    draft.faults.push(reasons.postacertRepeated);
    return;
  }
  if (!isType(part, 'message/rfc822')) draft.faults.push(reasons.postacertType);
  // RFC 2046 5.2.1: message/rfc822 is 7bit, 8bit or binary.
  const encoding = part.header.raw('Content-Transfer-Encoding')?.trim().toLowerCase() ?? '7bit';
  if (!['7bit', '8bit', 'binary'].includes(encoding)) draft.faults.push(reasons.postacertEncoded);
  draft.postacert = entity.slice(part.bodyStart, part.end);
  try {
    draft.postacertHeader = await readHeader(draft.postacert);
  } catch (error) {
    if (!(error instanceof MimeError)) throw error;
    draft.faults.push(reasons.postacertUnreadable);
  }
}

const named = (parts: readonly Part[], fileName: string): Part[] =>
  parts.filter((part) => part.fileName?.trim().toLowerCase() === fileName);

const isType = (part: Part, type: string): boolean => `${part.type.type}/${part.type.subtype}` === type;

/** RFC 6109 4.3.1. */
const isReadableText = (part: Part): boolean =>
  isType(part, 'text/plain') || isType(part, 'multipart/alternative');

// --------------------------------------------------------------------------------------------------- agreement

function kindFaults(outer: Header, field: string, { tipo }: Daticert, rightSort: boolean): string[] {
  const declared = outer.raw(field)?.trim() ?? '';
  return rightSort && declared.toLowerCase() === tipo ? [] : [reasons.kindDiffers(field, declared, tipo)];
}

/** RFC 6109 4.4: what each kind must say. */
function contentFaults({ tipo, errore, identificativo, ricevuta, consegna, ricezione }: Daticert): string[] {
  const faults: string[] = [];
  const demand = (present: boolean, element: string): void => {
    if (!present) faults.push(reasons.fieldAbsent(element, tipo));
  };
  demand(identificativo !== '', 'identificativo');
  // On the delivery notification `ricevuta` is asked of nobody: the recipient's gestore alone knows what was wanted.
  if (tipo === 'posta-certificata') demand(ricevuta !== undefined, 'ricevuta');
  if (ABOUT_ONE_RECIPIENT.includes(tipo)) demand((consegna ?? '') !== '', 'consegna');
  if (tipo === 'presa-in-carico')
    demand(
      ricezione.some((address) => address !== ''),
      'ricezione',
    );
  if (POSITIVE.includes(tipo) && errore !== 'nessuno') faults.push(reasons.errorUnexpected(tipo, errore));
  return faults;
}

/** Decisions 5: the envelope's Message-ID and MAIL FROM agree with daticert, and so does the name users see. */
function envelopeFaults(
  outer: Header,
  { identificativo, mittente }: Daticert,
  mailFrom: string | undefined,
): string[] {
  const faults: string[] = [];
  const identifiers = messageIds(outer);
  if (identifiers.length === 0 || identifiers.some((id) => id !== identificativo)) {
    faults.push(reasons.identifierDiffers);
  }
  if (mailFrom !== undefined && !sameAddress(mittente, mailFrom)) {
    faults.push(reasons.senderDiffers(mittente, mailFrom));
  }
  const authors = authorsOf(outer);
  const [author] = authors;
  if (author === undefined || authors.length > 1) faults.push(reasons.fromInvalid);
  else if (!isOnBehalfOf(author.name, mittente)) faults.push(reasons.fromNotOnBehalf(mittente));
  return faults;
}

function postacertFaults({ postacertHeader }: Draft, { identificativo }: Daticert): string[] {
  if (postacertHeader === undefined) return [];
  // RFC 6109 2.2.1: the original carries the PEC msgid too. A client's own id may have been left beside it.
  return messageIds(postacertHeader).includes(identificativo) ? [] : [reasons.postacertIdentifier];
}

const messageIds = (header: Header): string[] =>
  header.all('Message-ID').map((field) => field.raw.trim().replace(/^<(.*)>$/, '$1'));

function authorsOf(header: Header): { readonly name: string; readonly address: string }[] {
  const fields = header.all('From');
  const lists = fields.map((field) => parseAddresses(field.raw));
  return lists.every((list) => list.valid) ? lists.flatMap((list) => list.mailboxes) : [];
}

/** RFC 6109 3.1.5, `"Per conto di: [original sender]"` on the wire; the sender may be written with a name. */
function isOnBehalfOf(name: string, mittente: string): boolean {
  const [, sender] = /^\s*per\s+conto\s+di\s*:(.*)$/is.exec(name) ?? [];
  if (sender === undefined) return false;
  const shown = /<([^<>]*)>\s*$/.exec(sender)?.[1] ?? sender;
  return sameAddress(shown.trim(), mittente);
}
