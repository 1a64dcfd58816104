/** IMAP's BODY and BODYSTRUCTURE (RFC 9051 7.5.2). Text is Latin-1. */
import { type Header, parseDisposition, rawParameters, transferEncoding } from '../../mime/index.js';
import { imapEnvelope } from './envelope.js';
import { imapNString, imapString } from './strings.js';

/** One entity of a message, as a listing needs it. */
export interface Entity {
  readonly header: Header;
  readonly type: string;
  readonly subtype: string;
  /** Octets and lines of the body, still encoded. */
  readonly size: number;
  readonly lines: number;
  /** Parts of a multipart. */
  readonly children: readonly Entity[];
  /** What a message/rfc822 holds. */
  readonly message: Entity | undefined;
}

/** @param extended BODYSTRUCTURE, else BODY */
export function imapBody(entity: Entity, extended: boolean): string {
  if (entity.type === 'multipart') return multipart(entity, extended);
  const { header, type, subtype, size, lines, message } = entity;
  const fields = [
    imapString(type),
    imapString(subtype),
    parameters(rawParameters(header.raw('content-type'))),
    imapNString(header.raw('content-id')),
    imapNString(header.raw('content-description')),
    imapString(encodingOf(header)),
    String(size),
  ];
  if (message !== undefined)
    fields.push(imapEnvelope(message.header), imapBody(message, extended), String(lines));
  else if (type === 'text') fields.push(String(lines));
  if (extended) fields.push(imapNString(header.raw('content-md5')), ...extension(header));
  return `(${fields.join(' ')})`;
}

function multipart({ header, subtype, children }: Entity, extended: boolean): string {
  // RFC 9051 wants a part at least; a multipart without any is shown with an empty text.
  const parts =
    children.length > 0 ? children.map((child) => imapBody(child, extended)).join('') : emptyText(extended);
  const own = extended
    ? ` ${parameters(rawParameters(header.raw('content-type')))} ${extension(header).join(' ')}`
    : '';
  return `(${parts} ${imapString(subtype)}${own})`;
}

const emptyText = (extended: boolean): string =>
  `("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0${extended ? ' NIL NIL NIL NIL' : ''})`;

const encodingOf = (header: Header): string =>
  transferEncoding(header.raw('content-transfer-encoding')) || '7bit';

/** Disposition, language, location. */
function extension(header: Header): string[] {
  const disposition = header.raw('content-disposition');
  const { kind } = parseDisposition(disposition);
  const language = header
    .raw('content-language')
    ?.split(',')
    .map((tag) => imapString(tag.trim()));
  return [
    kind === '' ? 'NIL' : `(${imapString(kind)} ${parameters(rawParameters(disposition))})`,
    language === undefined
      ? 'NIL'
      : language.length === 1
        ? (language[0] ?? 'NIL')
        : `(${language.join(' ')})`,
    imapNString(header.raw('content-location')),
  ];
}

function parameters(list: readonly (readonly [name: string, value: string])[]): string {
  if (list.length === 0) return 'NIL';
  return `(${list.flatMap(([name, value]) => [imapString(name), imapString(value)]).join(' ')})`;
}
