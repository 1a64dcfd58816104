import { readParameters, skipComments } from './parameters.js';

export interface ContentType {
  /** Lower case. */
  readonly type: string;
  /** Lower case. */
  readonly subtype: string;
  /** RFC 2231 decoded; names in lower case. */
  readonly parameters: Map<string, string>;
}

export interface Disposition {
  /** Lower case: `inline`, `attachment`... or '' when there is none. */
  readonly kind: string;
  readonly parameters: Map<string, string>;
}

/**
 * A Content-Type value (RFC 2045 5.1). One that is absent or has no type/subtype is text/plain (RFC 2045 5.2),
 * its parameters kept. Never throws.
 */
export function parseContentType(raw: string | undefined): ContentType {
  const value = raw ?? '';
  const start = skipComments(value, 0);
  const slash = tokenEnd(value, start);
  const type = value.slice(start, slash);
  const subtypeStart = skipComments(value, skipComments(value, slash) + 1);
  const subtype = value.slice(subtypeStart, tokenEnd(value, subtypeStart));
  const parameters = readParameters(value, tokenEnd(value, subtypeStart));
  if (value[skipComments(value, slash)] !== '/' || type === '' || subtype === '') {
    return { type: 'text', subtype: 'plain', parameters };
  }
  return { type: type.toLowerCase(), subtype: subtype.toLowerCase(), parameters };
}

/** A Content-Disposition value (RFC 2183). Never throws. */
export function parseDisposition(raw: string | undefined): Disposition {
  const value = raw ?? '';
  const start = skipComments(value, 0);
  const kind = value.slice(start, tokenEnd(value, start)).toLowerCase();
  return { kind, parameters: readParameters(value, start + kind.length) };
}

/** RFC 2045 5.1: a token ends before white space, a control or a tspecial. */
function tokenEnd(value: string, start: number): number {
  let at = start;
  while (at < value.length && isTokenCode(value.charCodeAt(at))) at += 1;
  return at;
}

const TSPECIALS = new Set(Array.from('()<>@,;:\\"/[]?=', (character) => character.charCodeAt(0)));

const isTokenCode = (code: number): boolean => code > 0x20 && code < 0x7f && !TSPECIALS.has(code);
