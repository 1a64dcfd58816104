/** Reads what a server answers (RFC 9051 4): for tests that compare listings by what they mean. Strict: it throws for what is none. */

export type Data = null | string | { readonly string: string } | readonly Data[];

/** Atoms as they stand, NIL as null, strings marked, lists as arrays. @param text one character an octet */
export function readData(text: string): Data[] {
  const reader = new Reader(text);
  const found: Data[] = [];
  while (!reader.atEnd) {
    if (found.length > 0) reader.expect(' ');
    found.push(reader.value());
  }
  return found;
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  get atEnd(): boolean {
    return this.at >= this.text.length;
  }

  expect(character: string): void {
    if (this.text[this.at] !== character) throw this.error(`no ${JSON.stringify(character)}`);
    this.at += 1;
  }

  value(): Data {
    const next = this.text[this.at];
    if (next === '(') return this.list();
    if (next === '"')
      return { string: this.match(/"((?:[^"\\\0\r\n\x80-\xff]|\\["\\])*)"/y).replace(/\\(.)/g, '$1') };
    if (next === '{') return { string: this.literal() };
    const atom = this.match(/([^(){%*"\\\s\x80-\xff\0-\x1f]+)/y);
    return atom.toUpperCase() === 'NIL' ? null : atom;
  }

  private list(): Data[] {
    this.expect('(');
    const items: Data[] = [];
    while (this.text[this.at] !== ')') {
      // Addresses, and the parts of a multipart, stand side by side.
      if (items.length > 0 && !(this.text[this.at] === '(' && this.text[this.at - 1] === ')'))
        this.expect(' ');
      items.push(this.value());
    }
    this.expect(')');
    return items;
  }

  private literal(): string {
    const size = Number(this.match(/\{([0-9]+)\}\r\n/y));
    const octets = this.text.slice(this.at, this.at + size);
    if (octets.length < size || octets.includes('\0')) throw this.error('no literal');
    this.at += size;
    return octets;
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) throw this.error('nothing that can be read');
    this.at = pattern.lastIndex;
    return found[1] ?? '';
  }

  private error(reason: string): Error {
    return new Error(`${reason} at ${this.at} of ${JSON.stringify(this.text.slice(0, 2000))}`);
  }
}
