import type { Wording } from './texts.js';

/**
 * The readable part in its two forms, from the same words (RFC 6109 4.3.1). Latin-1; what it lacks is `?` in plain and
 * a numeric entity in HTML (decisions 18). The HTML has no style, image, link or script (decisions 29).
 */

/** CRLF text in ISO-8859-1. */
export const plainText = (wording: Wording): Buffer =>
  latin1(`${wording.title}\r\n\r\n${wording.lines.join('\r\n')}\r\n`, () => '?');

/** CRLF HTML in ISO-8859-1, of the shape the gestori send. */
export function htmlText(wording: Wording): Buffer {
  const title = escaped(wording.title);
  const body = wording.lines.map((line) => `${escaped(line)}<br>\r\n`).join('');
  const html =
    `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<h3>${title}</h3>\r\n<hr><br>\r\n` +
    `${body}</body>\r\n</html>\r\n`;
  return latin1(html, (character) => `&#${character.codePointAt(0)};`);
}

const HTML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => HTML[character] ?? character);

function latin1(text: string, foreign: (character: string) => string): Buffer {
  // A lone surrogate is no character: it counts as the replacement character.
  const known = text.replace(/[^\x00-\xff]/gu, (character) =>
    foreign(/^[\ud800-\udfff]$/.test(character) ? '\ufffd' : character),
  );
  return Buffer.from(known, 'latin1');
}
