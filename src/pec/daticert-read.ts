import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { type Daticert, DaticertError, ERRORI, RECEIPT_TYPES, type Recipient, TIPI } from './types.js';

/** Octets: a genuine daticert with 500 recipients stays under 200 KiB. */
const SIZE_LIMIT = 1024 * 1024;

/** Characters: it becomes a key of the register and of the log. Longer ones fit in no Message-ID anybody makes. */
const IDENTIFIER_LIMIT = 250;

const TEXT = '#text';
const CDATA = '#cdata';
const ATTRIBUTES = ':@';

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  // References are resolved here, one pass and strict: the parser leaves unknown ones standing.
  processEntities: false,
  cdataPropName: CDATA,
  ignoreDeclaration: true,
  ignorePiTags: true,
});

/** An element with the text decoded and its children in order. */
interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  readonly text: string;
}

/**
 * Reads and checks a daticert.xml against the DTD (RFC 6109 4.4): elements, their order, attributes, nothing else.
 * A DOCTYPE or an entity declaration is refused before parsing: none of the gestori sends one, and only harm comes of it.
 * @param xml the decoded MIME part
 * @throws DaticertError, with the reason in Italian
 */
export function readDaticert(xml: Buffer): Daticert {
  const text = decoded(xml);
  let nodes: unknown;
  try {
    const valid = XMLValidator.validate(text);
    if (valid !== true) throw new DaticertError(`XML malformato alla riga ${valid.err.line}`);
    nodes = parser.parse(text);
  } catch (cause) {
    if (cause instanceof DaticertError) throw cause;
    throw new DaticertError('XML malformato', { cause });
  }
  const roots = elementsOf(nodes, 'documento').children;
  const root = roots[0];
  if (roots.length !== 1 || root?.name !== 'postacert') throw new DaticertError('manca la radice postacert');
  return daticertOf(root);
}

function decoded(xml: Buffer): string {
  if (xml.length > SIZE_LIMIT) throw new DaticertError('dimensione eccessiva');
  let text: string;
  try {
    // RFC 6109 4.3.3: UTF-8. A byte order mark is dropped.
    text = new TextDecoder('utf-8', { fatal: true }).decode(xml);
  } catch (cause) {
    throw new DaticertError('codifica dei caratteri diversa da UTF-8', { cause });
  }
  if (ILLEGAL.test(text)) throw new DaticertError('caratteri non ammessi in XML');
  const declared = /^<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)["']/.exec(text)?.[1];
  if (declared !== undefined && !/^(?:utf-?8|us-ascii)$/i.test(declared)) {
    throw new DaticertError('codifica dei caratteri diversa da UTF-8');
  }
  refuseDeclarations(text);
  return text;
}

/** No `<!` but those of comments and CDATA sections. Linear: a search never starts again from the same place. */
function refuseDeclarations(text: string): void {
  let at = text.indexOf('<!');
  while (at >= 0) {
    const end = text.startsWith('<!--', at) ? '-->' : text.startsWith('<![CDATA[', at) ? ']]>' : undefined;
    if (end === undefined) throw new DaticertError('DOCTYPE e dichiarazioni di entità non sono ammessi');
    const close = text.indexOf(end, at + 4);
    if (close < 0) throw new DaticertError('XML malformato');
    at = text.indexOf('<!', close);
  }
}

const ILLEGAL = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

// ---------------------------------------------------------------------------------------------- the parser's output

/** The parser's ordered nodes: `{name: [nodes], ':@': {attributes}}`, `{'#text': text}`, `{'#cdata': [{'#text': text}]}`. */
function elementsOf(nodes: unknown, name: string, attributes: Record<string, string> = {}): Element {
  const children: Element[] = [];
  let text = '';
  for (const node of asArray(nodes)) {
    for (const [key, value] of Object.entries(asObject(node))) {
      if (key === ATTRIBUTES) continue;
      if (key === TEXT) text += resolved(String(value));
      else if (key === CDATA)
        text += asArray(value)
          .map((inner) => String(asObject(inner)[TEXT] ?? ''))
          .join('');
      else children.push(elementsOf(value, key, attributesOf(asObject(node)[ATTRIBUTES])));
    }
  }
  return { name, attributes, children, text };
}

function attributesOf(value: unknown): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [name, text] of Object.entries(asObject(value ?? {}))) {
    if (String(text).includes('<')) throw new DaticertError('XML malformato');
    attributes[name] = resolved(String(text));
  }
  return attributes;
}

const asArray = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** The five references XML knows without a DTD, and numeric ones. */
function resolved(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&([^;&\s]{0,12};)?/g, (whole, body: string | undefined) => {
    const name = body?.slice(0, -1) ?? '';
    const numeric = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name);
    const character =
      numeric === null
        ? NAMED[name]
        : scalar(Number.parseInt(numeric[1] ?? numeric[2] ?? '', numeric[1] === undefined ? 10 : 16));
    if (character === undefined || ILLEGAL.test(character))
      throw new DaticertError(`riferimento non ammesso: ${whole}`);
    return character;
  });
}

const scalar = (code: number): string | undefined =>
  code <= 0x10ffff ? String.fromCodePoint(code) : undefined;

// ------------------------------------------------------------------------------------------------------- the DTD

function daticertOf(root: Element): Daticert {
  checkAttributes(root, ['tipo', 'errore']);
  const [head, data] = sequence(root, [one('intestazione'), one('dati')]);
  const about = header(first(head));
  const facts = certification(first(data));
  return {
    tipo: word(root, 'tipo', TIPI),
    // The DTD's default.
    errore: word(root, 'errore', ERRORI, 'nessuno'),
    ...about,
    ...facts,
  };
}

function header(element: Element): Pick<Daticert, 'mittente' | 'destinatari' | 'risposte' | 'oggetto'> {
  checkAttributes(element, []);
  const [from, to, replies, subject] = sequence(element, [
    one('mittente'),
    { name: 'destinatari', least: 1, most: Number.POSITIVE_INFINITY },
    one('risposte'),
    maybe('oggetto'),
  ]);
  return {
    mittente: plain(first(from)),
    destinatari: (to ?? []).map(recipient),
    risposte: plain(first(replies)),
    oggetto: subject?.[0] && plain(subject[0]),
  };
}

function recipient(element: Element): Recipient {
  checkAttributes(element, ['tipo']);
  return { address: leaf(element), kind: word(element, 'tipo', ['certificato', 'esterno'], 'certificato') };
}

function certification(
  element: Element,
): Omit<Daticert, 'tipo' | 'errore' | 'mittente' | 'destinatari' | 'risposte' | 'oggetto'> {
  checkAttributes(element, []);
  const [provider, data, id, msgid, receipt, delivery, reception, error] = sequence(element, [
    one('gestore-emittente'),
    one('data'),
    one('identificativo'),
    maybe('msgid'),
    maybe('ricevuta'),
    maybe('consegna'),
    { name: 'ricezione', least: 0, most: Number.POSITIVE_INFINITY },
    maybe('errore-esteso'),
  ]);
  const when = first(data);
  checkAttributes(when, ['zona']);
  const [day, hour] = sequence(when, [one('giorno'), one('ora')]);
  const zona = when.attributes.zona;
  if (zona === undefined) throw new DaticertError("manca l'attributo zona");
  return {
    gestoreEmittente: plain(first(provider)),
    giorno: plain(first(day)),
    ora: plain(first(hour)),
    zona,
    identificativo: identifier(first(id)),
    msgid: msgid?.[0] && plain(msgid[0]),
    ricevuta: receipt?.[0] && receiptKind(receipt[0]),
    consegna: delivery?.[0] && plain(delivery[0]),
    ricezione: (reception ?? []).map(plain),
    erroreEsteso: error?.[0] && plain(error[0]),
  };
}

function identifier(element: Element): string {
  const value = plain(element);
  if (value.length > IDENTIFIER_LIMIT) {
    throw new DaticertError(`identificativo più lungo di ${IDENTIFIER_LIMIT} caratteri`);
  }
  return value;
}

function receiptKind(element: Element): 'completa' | 'breve' | 'sintetica' {
  checkAttributes(element, ['tipo']);
  if (leaf(element).trim() !== '') throw new DaticertError('ricevuta non è vuoto');
  return word(element, 'tipo', RECEIPT_TYPES);
}

interface Slot {
  readonly name: string;
  readonly least: number;
  readonly most: number;
}

const one = (name: string): Slot => ({ name, least: 1, most: 1 });
const maybe = (name: string): Slot => ({ name, least: 0, most: 1 });

/** The children sorted into the slots of a DTD sequence, in order, with nothing over and no text between them. */
function sequence(element: Element, slots: readonly Slot[]): (readonly Element[])[] {
  if (element.text.trim() !== '') throw new DaticertError(`testo fuori posto in ${element.name}`);
  let at = 0;
  const found = slots.map((slot) => {
    const from = at;
    while (at < element.children.length && at - from < slot.most && element.children[at]?.name === slot.name)
      at++;
    if (at - from < slot.least) throw new DaticertError(`manca l'elemento ${slot.name}`);
    return element.children.slice(from, at);
  });
  const over = element.children[at];
  if (over !== undefined) throw new DaticertError(`elemento fuori posto: ${over.name}`);
  return found;
}

function first(elements: readonly Element[] | undefined): Element {
  const element = elements?.[0];
  if (element === undefined) throw new DaticertError('elemento mancante');
  return element;
}

/** The text of an element that has neither attributes nor children. */
function plain(element: Element): string {
  checkAttributes(element, []);
  return leaf(element);
}

function leaf(element: Element): string {
  if (element.children.length > 0) throw new DaticertError(`elemento fuori posto in ${element.name}`);
  return element.text;
}

function checkAttributes(element: Element, allowed: readonly string[]): void {
  for (const name of Object.keys(element.attributes)) {
    if (!allowed.includes(name)) throw new DaticertError(`attributo fuori posto: ${name}`);
  }
}

function word<W extends string>(element: Element, name: string, words: readonly W[], absent?: W): W {
  const value = element.attributes[name];
  const known = value === undefined ? absent : words.find((candidate) => candidate === value);
  if (known === undefined) throw new DaticertError(`attributo ${name} di ${element.name} non valido`);
  return known;
}
