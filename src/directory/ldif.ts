/**
 * LDIF (RFC 2849), content records only, as the directory of gestori uses it (RFC 6109 4.5). Pure and portable: it
 * also serves where there is no Node. Base64 is decoded here, since attribute values may be binary.
 */

/** One entry: its name and its attributes, lower-case names without options, in order of appearance. */
export interface LdifEntry {
  readonly dn: string;
  readonly attributes: ReadonlyMap<string, readonly Uint8Array[]>;
}

/** The text is not LDIF; the message says on which line. */
export class LdifError extends Error {
  override readonly name = 'LdifError';

  constructor(
    readonly line: number,
    message: string,
  ) {
    super(`LDIF line ${line}: ${message}`);
  }
}

/** The whole directory is a few hundred records; this bounds what a stranger can make us parse. */
const MAX_BYTES = 64 * 1024 * 1024;

interface LogicalLine {
  readonly number: number;
  readonly text: string;
}

/** @throws LdifError */
export function readLdif(bytes: Uint8Array): LdifEntry[] {
  if (bytes.length > MAX_BYTES) throw new LdifError(1, `larger than ${MAX_BYTES} octets`);
  const text = new TextDecoder('utf-8').decode(bytes);
  const entries: LdifEntry[] = [];
  let open: { dn: string; attributes: Map<string, Uint8Array[]> } | undefined;
  for (const line of unfold(text)) {
    if (line.text === '') {
      if (open !== undefined) entries.push(open);
      open = undefined;
      continue;
    }
    const { name, value } = attribute(line);
    if (name === 'dn') {
      // RFC 6109 4.5.10 itself prints two entries without the blank line of RFC 2849 between them.
      if (open !== undefined) entries.push(open);
      open = { dn: new TextDecoder('utf-8', { ignoreBOM: true }).decode(value), attributes: new Map() };
    } else if (open !== undefined) {
      const values = open.attributes.get(name);
      if (values === undefined) open.attributes.set(name, [value]);
      else values.push(value);
    } else if (name !== 'version') throw new LdifError(line.number, `"${name}" stands before any dn`);
  }
  if (open !== undefined) entries.push(open);
  return entries;
}

/** Joins continuation lines, drops comments (folded ones too), keeps the empty lines that end entries. */
function* unfold(text: string): Generator<LogicalLine> {
  let current: LogicalLine | undefined;
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    if (line.startsWith(' ') && current !== undefined) {
      current = { number: current.number, text: current.text + line.slice(1) };
      continue;
    }
    if (current !== undefined && !current.text.startsWith('#')) yield current;
    current = { number: index + 1, text: line };
  }
  if (current !== undefined && !current.text.startsWith('#')) yield current;
}

function attribute({ number, text }: LogicalLine): { name: string; value: Uint8Array } {
  const match = /^([A-Za-z][A-Za-z0-9.-]*)((?:;[A-Za-z0-9-]+)*)(::|:<|:)[ ]*(.*)$/s.exec(text);
  const [, name, , separator, rest] = match ?? [];
  if (name === undefined || rest === undefined)
    throw new LdifError(number, `not an attribute: "${text.slice(0, 60)}"`);
  // A value by URL would make whoever wrote the file choose what we open.
  if (separator === ':<') throw new LdifError(number, 'values by URL are not accepted');
  if (separator === '::') return { name: name.toLowerCase(), value: fromBase64(rest, number) };
  return { name: name.toLowerCase(), value: new TextEncoder().encode(rest) };
}

function fromBase64(text: string, line: number): Uint8Array {
  const compact = text.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact) || compact.length % 4 !== 0)
    throw new LdifError(line, 'broken base64');
  return Uint8Array.from(atob(compact), (character) => character.charCodeAt(0));
}

/** A value to write; text that LDIF cannot hold as it stands goes out in base64. */
export type LdifValue = readonly [name: string, value: string | Uint8Array];

/** Writes one entry, folded at 76 columns, LF line ends, without the blank line after it. */
export function writeLdifEntry(dn: string, values: readonly LdifValue[]): string {
  const lines: LdifValue[] = [['dn', dn], ...values];
  return lines.map(([name, value]) => `${fold(format(name, value))}\n`).join('');
}

function format(name: string, value: string | Uint8Array): string {
  if (
    typeof value === 'string' &&
    /^(?:[\x21-\x39\x3b\x3d-\x7e][\x20-\x7e]*)?$/.test(value) &&
    !value.endsWith(' ')
  ) {
    return `${name}: ${value}`;
  }
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return `${name}:: ${btoa(binary)}`;
}

function fold(line: string): string {
  if (line.length <= 76) return line;
  const rest = line.slice(76).match(/.{1,75}/g) ?? [];
  return [line.slice(0, 76), ...rest].join('\n ');
}
