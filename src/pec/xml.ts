/**
 * XML for documents that bear legal weight: what every conforming reader reads alike, and nothing else. There is no DTD
 * here, no processing instruction, no second encoding; a value stands in one piece, since readers that ask for the first
 * text node of an element see only what comes before a comment or a CDATA section.
 */
import { DaticertError } from './types.js';

/** An element with its references resolved. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Its own text; empty where it has none. */
  readonly text: string;
}

/** Elements inside one another; a daticert needs four. */
const DEPTH = 8;

const NAME = /[A-Za-z_:][\w.:-]*/y;
const ATTRIBUTE = /[ \t\n]+([A-Za-z_:][\w.:-]*)[ \t\n]*=[ \t\n]*(?:"([^"<]*)"|'([^'<]*)')/y;
const TAG_END = /[ \t\n]*(\/?)>/y;
const CLOSING = /<\/([A-Za-z_:][\w.:-]*)[ \t\n]*>/y;
const BLANKS = /[ \t\n]*/y;
const DECLARATION =
  /^<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(?:"1\.0"|'1\.0')(?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*(["'])([A-Za-z][\w.-]*)\1)?(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*(["'])(?:yes|no)\3)?[ \t\n]*\?>/;
const ILLEGAL = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
const NAMED: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

/** White space of XML alone: not what else Unicode calls so. */
export const isBlank = (text: string): boolean => /^[ \t\n\r]*$/.test(text);

/**
 * The root of a document in UTF-8. Linear in its length.
 * @throws DaticertError, with the reason in Italian
 */
export function readXml(bytes: Buffer): XmlElement {
  let text: string;
  try {
    // RFC 6109 4.3.3: UTF-8. A byte order mark is dropped.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DaticertError('codifica dei caratteri diversa da UTF-8', { cause });
  }
  if (ILLEGAL.test(text)) throw new DaticertError('caratteri non ammessi in XML');
  // XML 1.0 2.11.
  return new Reader(text.replace(/\r\n?/g, '\n')).document();
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  document(): XmlElement {
    this.declaration();
    this.misc();
    const root = this.element(1);
    this.misc();
    if (this.at < this.text.length) throw this.malformed();
    return root;
  }

  private declaration(): void {
    if (!/^<\?xml[ \t\n]/.test(this.text)) return;
    const declared = DECLARATION.exec(this.text);
    if (declared === null) throw this.malformed();
    if (!/^(?:utf-?8|us-ascii)$/i.test(declared[2] ?? 'utf-8')) {
      throw new DaticertError('codifica dei caratteri diversa da UTF-8');
    }
    this.at = declared[0].length;
  }

  /** Blanks and comments around the root. */
  private misc(): void {
    do this.match(BLANKS);
    while (this.comment());
  }

  private element(depth: number): XmlElement {
    if (this.text[this.at] !== '<') throw this.malformed();
    this.refuseForeign();
    if (depth > DEPTH) throw new DaticertError(`elementi annidati oltre ${DEPTH} livelli`);
    this.at += 1;
    const name = this.match(NAME)?.[0];
    if (name === undefined) throw this.malformed();
    const attributes = this.attributes();
    const end = this.match(TAG_END);
    if (end === null) throw this.malformed();
    if (end[1] === '/') return { name, attributes, children: [], text: '' };
    const content = this.content(depth);
    if (this.match(CLOSING)?.[1] !== name) throw this.malformed();
    return { name, attributes, ...content };
  }

  private attributes(): Map<string, string> {
    const attributes = new Map<string, string>();
    for (let next = this.match(ATTRIBUTE); next !== null; next = this.match(ATTRIBUTE)) {
      const [, name = '', double, single = ''] = next;
      if (attributes.has(name)) throw new DaticertError(`attributo ripetuto: ${name}`);
      // XML 1.0 3.3.3.
      attributes.set(name, resolved((double ?? single).replace(/[\t\n]/g, ' ')));
    }
    return attributes;
  }

  /** Up to the closing tag. */
  private content(depth: number): Pick<XmlElement, 'children' | 'text'> {
    const children: XmlElement[] = [];
    const texts: string[] = [];
    let comments = false;
    while (!this.text.startsWith('</', this.at)) {
      const markup = this.text.indexOf('<', this.at);
      if (markup < 0) throw this.malformed();
      if (markup > this.at) texts.push(this.characters(markup));
      else if (this.comment()) comments = true;
      else if (this.text.startsWith('<![CDATA[', this.at)) texts.push(this.section());
      else children.push(this.element(depth + 1));
    }
    const [text = '', ...more] = children.length > 0 ? texts.filter((piece) => !isBlank(piece)) : texts;
    if (more.length > 0 || (comments && children.length === 0)) {
      throw new DaticertError('un valore è interrotto da un commento o da una sezione CDATA');
    }
    return { children, text };
  }

  private characters(end: number): string {
    const raw = this.text.slice(this.at, end);
    if (raw.includes(']]>')) throw this.malformed();
    this.at = end;
    return resolved(raw);
  }

  private section(): string {
    const start = this.at + '<![CDATA['.length;
    const end = this.text.indexOf(']]>', start);
    if (end < 0) throw this.malformed();
    this.at = end + 3;
    return this.text.slice(start, end);
  }

  private comment(): boolean {
    if (!this.text.startsWith('<!--', this.at)) return false;
    const end = this.text.indexOf('--', this.at + 4);
    // XML 1.0 2.5: no `--` inside.
    if (end < 0 || this.text[end + 2] !== '>') throw this.malformed();
    this.at = end + 3;
    return true;
  }

  /** None of the gestori sends these, and only harm comes of them. */
  private refuseForeign(): void {
    const next = this.text[this.at + 1];
    if (next === '!') throw new DaticertError('DOCTYPE e dichiarazioni di entità non sono ammessi');
    if (next === '?') throw new DaticertError('istruzioni di elaborazione non sono ammesse');
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found !== null) this.at += found[0].length;
    return found;
  }

  private malformed(): DaticertError {
    const line = this.text.slice(0, this.at).split('\n').length;
    return new DaticertError(`XML malformato alla riga ${line}`);
  }
}

/** The five references XML knows without a DTD, and numeric ones. */
function resolved(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&([^;&\s]{0,12};)?/g, (whole, body: string | undefined) => {
    const name = body?.slice(0, -1) ?? '';
    const numeric = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name);
    const character =
      numeric === null
        ? NAMED.get(name)
        : scalar(Number.parseInt(numeric[1] ?? numeric[2] ?? '', numeric[1] === undefined ? 10 : 16));
    if (character === undefined || ILLEGAL.test(character))
      throw new DaticertError(`riferimento non ammesso: ${whole}`);
    return character;
  });
}

const scalar = (code: number): string | undefined =>
  code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
