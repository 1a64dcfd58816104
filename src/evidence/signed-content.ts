import { encodePhrase, Header, MimeError, parseAddresses, readStructure } from '../mime/index.js';
import {
  type Classified,
  type Daticert,
  type FormReading,
  instantOf,
  readAnomaly,
  readEnvelope,
  readNotification,
  sameAddress,
} from '../pec/index.js';
import type { Rope } from '../rope/index.js';
import { type Finding, finding, type Kind } from './report.js';

/** What the signed entity holds. */
export interface SignedContent {
  readonly kind: Kind;
  readonly daticert: Daticert | undefined;
  /** The original that travels inside, exactly as it was signed. */
  readonly postacert: Rope | undefined;
  readonly findings: readonly Finding[];
}

/**
 * Reads the signed entity. What it is, its own daticert.xml decides (decisions 5); only an anomaly envelope, which has
 * none, is known by the unsigned header alone. Rejects only when the rope cannot be read.
 */
export async function readContent(outer: Header, entity: Rope, claimed: Classified): Promise<SignedContent> {
  const first = await readNotification(outer, entity);
  if (first.daticert === undefined) return withoutDaticert(entity, claimed, first);
  const { daticert } = first;
  // A file that was kept no longer knows its reverse path.
  const read = (header: Header): Promise<FormReading> =>
    daticert.tipo === 'posta-certificata'
      ? readEnvelope(header, entity, undefined)
      : readNotification(header, entity);
  const inner = await read(agreeingHeader(daticert));
  const whole = await read(outer);
  const faults = whole.faults.filter((fault) => !inner.faults.includes(fault));
  return {
    kind: daticert.tipo,
    daticert,
    postacert: inner.postacert,
    findings: [...formFindings(inner.faults), ...outerFindings(faults, differingFields(outer, daticert))],
  };
}

/** The outer header that says what daticert says: what is still wrong under it is wrong in the signed entity. */
function agreeingHeader({ tipo, identificativo, mittente }: Daticert): Header {
  const oneLine = (text: string): string => text.replace(/[\r\n]+/g, ' ');
  const author = encodePhrase(oneLine(`Per conto di: ${mittente}`));
  const marker = tipo === 'posta-certificata' ? 'X-Trasporto' : 'X-Ricevuta';
  const lines = [
    `${marker}: ${tipo}`,
    `Message-ID: <${oneLine(identificativo)}>`,
    `From: ${author} <posta-certificata@gestore.example>`,
  ];
  return new Header(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'utf8'));
}

async function withoutDaticert(
  entity: Rope,
  claimed: Classified,
  { faults }: FormReading,
): Promise<SignedContent> {
  const anomaly = await readAnomaly(entity);
  if (claimed.kind === 'anomaly' && anomaly.faults.length === 0) {
    const postacert = await carriedMessage(entity);
    return {
      kind: 'anomalia',
      daticert: undefined,
      postacert,
      findings: [
        ...formFindings(postacert === undefined ? ['manca il messaggio originale'] : []),
        ...outerFindings([], []),
      ],
    };
  }
  const findings =
    claimed.kind === 'ordinary'
      ? [
          finding(
            'not-pec',
            'open',
            'È un messaggio firmato, ma non un messaggio di posta certificata: non ha dati di certificazione.',
            'It is a signed message, but no certified mail: it bears no certification data.',
          ),
        ]
      : formFindings(faults);
  return { kind: 'firmato', daticert: undefined, postacert: undefined, findings };
}

/** The message an anomaly envelope carries (RFC 6109 3.2.2). */
async function carriedMessage(entity: Rope): Promise<Rope | undefined> {
  try {
    const { children } = await readStructure(entity);
    const part = children.find(({ type }) => type.type === 'message' && type.subtype === 'rfc822');
    return part && entity.slice(part.bodyStart, part.end);
  } catch (error) {
    if (error instanceof MimeError) return undefined;
    throw error;
  }
}

const formFindings = (faults: readonly string[]): Finding[] => [
  faults.length === 0
    ? finding(
        'form-holds',
        'holds',
        'Il contenuto firmato ha la forma che le regole della PEC vogliono.',
        'The signed content has the form the rules of PEC want.',
      )
    : finding(
        'form-broken',
        'open',
        `Il contenuto firmato non ha la forma che le regole della PEC vogliono: ${faults.join('; ')}.`,
        `The signed content does not have the form the rules of PEC want (in Italian): ${faults.join('; ')}.`,
      ),
];

function outerFindings(faults: readonly string[], fields: readonly string[]): Finding[] {
  const unsigned = finding(
    'outer-header-unsigned',
    'remark',
    "L'intestazione esterna del messaggio (From, To, Subject, Date...) non è firmata: può essere stata cambiata senza lasciare traccia, e qui non fa fede.",
    'The outer header of the message (From, To, Subject, Date...) is not signed: it may have been changed without a trace, and is not relied on here.',
  );
  if (faults.length + fields.length === 0) return [unsigned];
  const it = [
    ...faults,
    ...fields.map((field) => `il campo ${field} non dice ciò che dicono i dati firmati`),
  ];
  return [
    unsigned,
    finding(
      'outer-header-differs',
      'remark',
      `L'intestazione esterna, non firmata, contraddice i dati firmati, che soli contano: ${it.join('; ')}.`,
      `The outer, unsigned header contradicts the signed data, which alone count (${
        fields.length > 0 ? `fields: ${fields.join(', ')}` : 'what it says the message is'
      }).`,
    ),
  ];
}

/** Kinds that go to the service mailbox of the sender's gestore, not to the sender (pec-format 1.1). */
const TO_GESTORE: readonly string[] = ['presa-in-carico', 'rilevazione-virus'];

/** Fields people look at that say something else than the signed data. */
function differingFields(outer: Header, daticert: Daticert): string[] {
  const { tipo, oggetto, mittente, msgid } = daticert;
  const fields: string[] = [];
  const squeezed = (text: string): string => text.replace(/\s+/g, ' ').trim();
  const subject = squeezed(outer.text('Subject') ?? '');
  const words = squeezed(oggetto ?? '');
  if (!(words === '' ? /^[A-Z .]+:$/.test(subject) : subject.endsWith(`: ${words}`))) fields.push('Subject');
  const date = Date.parse(outer.raw('Date')?.replace(/\([^()]*\)/g, '') ?? '');
  if (date !== instantOf(daticert.giorno, daticert.ora, daticert.zona)) fields.push('Date');
  if (tipo !== 'posta-certificata' && !TO_GESTORE.includes(tipo)) {
    const { mailboxes } = parseAddresses(outer.raw('To') ?? '');
    if (!mailboxes.some(({ address }) => sameAddress(address, mittente))) fields.push('To');
  }
  if (msgid !== undefined && outer.raw('X-Riferimento-Message-ID') !== msgid)
    fields.push('X-Riferimento-Message-ID');
  return fields;
}
