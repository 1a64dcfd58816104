import { children, type Element, each, encoded, inside, Members, refuseLarge, Tag } from './asn1.js';
import { CmsError } from './cms-error.js';
import { hex, readIa5, readOid, readText } from './values.js';

/** Attribute types of distinguished names that this room asks for. */
export const NameType = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  email: '1.2.840.113549.1.9.1',
} as const;

/** A distinguished name. */
export interface Name {
  /** The DER as it stands. */
  readonly raw: Uint8Array;
  /** One entry per attribute, in order. */
  readonly attributes: readonly { readonly type: string; readonly value: string }[];
  /** One string per relative name, alike for names that compare equal (RFC 5280 7.1: case and runs of spaces do not count). */
  readonly keys: readonly string[];
}

/** @throws CmsError */
export function readName(element: Element): Name {
  if (element.tag !== Tag.sequence) throw new CmsError('bad-tag', 'a name that is no sequence');
  refuseLarge(element, 'a name');
  const attributes: { type: string; value: string }[] = [];
  const keys: string[] = [];
  for (const relative of each(element)) {
    if (relative.tag !== Tag.set) throw new CmsError('bad-tag', 'a relative name that is no set');
    const parts: string[] = [];
    for (const pair of each(relative)) {
      const members = new Members(pair, 'AttributeTypeAndValue');
      const type = readOid(members.next(Tag.oid));
      const raw = members.next();
      const value = readText(raw) ?? `#${hex(encoded(raw))}`;
      attributes.push({ type, value });
      // Spaces alone: other blanks, and the mark of byte order, are what one name could pass for another with.
      parts.push(`${type}=${value.replace(/ +/g, ' ').replace(/^ | $/g, '').toLowerCase()}`);
    }
    keys.push(parts.sort().join('\u0000'));
  }
  return { raw: encoded(element), attributes, keys };
}

export const sameName = (a: Name, b: Name): boolean =>
  a.keys.length === b.keys.length && startsWithName(a, b);

/** Whether `prefix` is the beginning of `name`, as a directory name constraint means it (RFC 5280 4.2.1.10). */
export const startsWithName = (name: Name, prefix: Name): boolean =>
  prefix.keys.every((key, i) => name.keys[i] === key);

/** Every value of one attribute type, in order. */
export const valuesOf = (name: Name, type: string): string[] =>
  name.attributes.filter((attribute) => attribute.type === type).map((attribute) => attribute.value);

/** A readable form, most general part first: `IT, Acme PEC S.p.A., Posta Certificata`. */
export const nameText = (name: Name): string =>
  name.attributes.map((attribute) => attribute.value).join(', ');

export type GeneralName =
  | { readonly kind: 'email' | 'dns' | 'uri'; readonly value: string }
  | { readonly kind: 'directory'; readonly value: Name }
  | { readonly kind: 'other'; readonly tag: number; readonly value: Uint8Array };

/** @throws CmsError */
export function readGeneralName(element: Element): GeneralName {
  switch (element.tag) {
    case 0x81:
      return { kind: 'email', value: readIa5(element) };
    case 0x82:
      return { kind: 'dns', value: readIa5(element) };
    case 0x86:
      return { kind: 'uri', value: readIa5(element) };
    case 0xa4:
      return { kind: 'directory', value: readName(inside(element)) };
    default:
      return { kind: 'other', tag: element.tag, value: encoded(element) };
  }
}

/** @throws CmsError */
export const readGeneralNames = (parent: Element): GeneralName[] => children(parent).map(readGeneralName);
