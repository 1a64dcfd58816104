/** Listings (ENVELOPE, BODYSTRUCTURE) compared by what they mean, and the golden files of them. */
import { readFileSync } from 'node:fs';
import { type Data, readData } from './imap-data.js';

export interface Golden {
  readonly name: string;
  readonly message: Buffer;
  /** Octets as Latin-1. */
  readonly expected: string;
}

/**
 * `=== name`, the message, `--- dovecot` and what Dovecot 2.3 answers of it; where another answer is right, `--- instead: why` and
 * that one. Lines end with LF in the file, with CRLF in what it means.
 */
export function goldenOf(file: string): Golden[] {
  const [, ...sections] = readFileSync(`test/wire/imap-golden/${file}`, 'latin1').split(/^=== /m);
  return sections.map((section) => {
    const [head = '', ...answers] = section.split(/^--- .*\n/m);
    const [name = ''] = head.split('\n', 1);
    const wire = (text: string): string => text.replaceAll('\n', '\r\n');
    return {
      name,
      message: Buffer.from(wire(head.slice(name.length + 1)), 'latin1'),
      expected: wire((answers.at(-1) ?? '').replace(/\n$/, '')),
    };
  });
}

/** Names of types and parameters have no case (RFC 2045 5.1); a text without a charset is US-ASCII; one language is a list of one. */
export function bodyMeant(text: string): Data {
  const [body = null] = readData(text);
  return withoutDefaults(body);
}

function withoutDefaults(data: Data): Data {
  if (data === null || typeof data === 'string') return data;
  if ('string' in data) return { string: data.string.toLowerCase() };
  const items = (data as readonly Data[]).map(withoutDefaults);
  const [type] = items;
  if (isString(type, 'text')) items[2] = withCharset(items[2] ?? null);
  const language = languageAt(items);
  if (language !== undefined && isString(items[language])) items[language] = [items[language] ?? null];
  return items;
}

function withCharset(parameters: Data): Data {
  const list = Array.isArray(parameters) ? (parameters as Data[]) : [];
  const named = list.some((each, at) => at % 2 === 0 && isString(each, 'charset'));
  return named ? list : [...list, { string: 'charset' }, { string: 'us-ascii' }];
}

const isString = (data: Data | undefined, text?: string): boolean =>
  data !== null &&
  typeof data === 'object' &&
  'string' in data &&
  (text === undefined || data.string === text);

/** Where a BODYSTRUCTURE has its language; undefined for a list that is none. */
function languageAt(items: readonly Data[]): number | undefined {
  const extensions = extensionsAt(items);
  return extensions === undefined || items.length !== extensions + 4 ? undefined : extensions + 2;
}

/** Where the extension data of a body begin (RFC 9051 7.5.2). */
export function extensionsAt(items: readonly Data[]): number | undefined {
  if (Array.isArray(items[0])) return items.findIndex((item) => isString(item)) + 1;
  if (!isString(items[0]) || !isString(items[1]) || !/^[0-9]+$/.test(String(items[6]))) return undefined;
  if (Array.isArray(items[7])) return 10;
  return isString(items[0], 'text') ? 8 : 7;
}
