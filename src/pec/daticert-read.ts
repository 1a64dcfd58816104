import { type Daticert, DaticertError, ERRORI, RECEIPT_TYPES, type Recipient, TIPI } from './types.js';
import { type XmlElement as Element, isBlank, readXml } from './xml.js';

/** Octets: a genuine daticert with 500 recipients stays under 200 KiB. */
const SIZE_LIMIT = 1024 * 1024;

/** Characters: it becomes a key of the register and of the log. Longer ones fit in no Message-ID anybody makes. */
const IDENTIFIER_LIMIT = 250;

/**
 * Reads and checks a daticert.xml against the DTD (RFC 6109 4.4): elements, their order, attributes, nothing else.
 * What two readers could take in two ways is refused.
 * @param xml the decoded MIME part
 * @throws DaticertError, with the reason in Italian
 */
export function readDaticert(xml: Buffer): Daticert {
  if (xml.length > SIZE_LIMIT) throw new DaticertError('dimensione eccessiva');
  const root = readXml(xml);
  if (root.name !== 'postacert') throw new DaticertError('manca la radice postacert');
  return daticertOf(root);
}

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
  const zona = when.attributes.get('zona');
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
  if (leaf(element) !== '') throw new DaticertError('ricevuta non è vuoto');
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
  if (!isBlank(element.text)) throw new DaticertError(`testo fuori posto in ${element.name}`);
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
  for (const name of element.attributes.keys()) {
    if (!allowed.includes(name)) throw new DaticertError(`attributo fuori posto: ${name}`);
  }
}

function word<W extends string>(element: Element, name: string, words: readonly W[], absent?: W): W {
  const value = element.attributes.get(name);
  const known = value === undefined ? absent : words.find((candidate) => candidate === value);
  if (known === undefined) throw new DaticertError(`attributo ${name} di ${element.name} non valido`);
  return known;
}
