import type { Daticert } from './types.js';

/**
 * daticert.xml as the gestori write it (pec-format 1.4): UTF-8 declaration, no DOCTYPE, LF, four spaces, `errore` always
 * there. Element order is the DTD's (RFC 6109 4.4). What XML cannot carry becomes U+FFFD (decisions 18).
 * @throws RangeError without a recipient: the DTD wants one
 */
export function buildDaticert(daticert: Daticert): string {
  if (daticert.destinatari.length === 0) throw new RangeError('a daticert wants at least one recipient');
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<postacert tipo="${daticert.tipo}" errore="${daticert.errore}">\n` +
    `    <intestazione>\n${intestazione(daticert)}    </intestazione>\n` +
    `    <dati>\n${dati(daticert)}    </dati>\n` +
    '</postacert>\n'
  );
}

function intestazione(daticert: Daticert): string {
  let text = element('mittente', daticert.mittente);
  for (const { kind, address } of daticert.destinatari) {
    text += `        <destinatari tipo="${kind}">${escaped(address)}</destinatari>\n`;
  }
  return text + element('risposte', daticert.risposte) + optional('oggetto', daticert.oggetto);
}

function dati(daticert: Daticert): string {
  let text =
    element('gestore-emittente', daticert.gestoreEmittente) +
    `        <data zona="${escaped(daticert.zona)
      .replace(/"/g, '&quot;')
      .replace(/[\t\n]/g, ' ')}">\n` +
    `            <giorno>${escaped(daticert.giorno)}</giorno>\n` +
    `            <ora>${escaped(daticert.ora)}</ora>\n` +
    '        </data>\n' +
    element('identificativo', daticert.identificativo) +
    optional('msgid', daticert.msgid);
  if (daticert.ricevuta !== undefined) text += `        <ricevuta tipo="${daticert.ricevuta}" />\n`;
  text += optional('consegna', daticert.consegna);
  for (const recipient of daticert.ricezione) text += element('ricezione', recipient);
  return text + optional('errore-esteso', daticert.erroreEsteso);
}

const element = (name: string, value: string): string => `        <${name}>${escaped(value)}</${name}>\n`;

const optional = (name: string, value: string | undefined): string =>
  value === undefined ? '' : element(name, value);

/** XML 1.0 Char: everything else is illegal, even as a reference. Lone surrogates match thanks to the `u` flag. */
const SPECIAL = /[&<>\r]|[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

function escaped(text: string): string {
  return text.replace(SPECIAL, (character) => {
    if (character === '&') return '&amp;';
    if (character === '<') return '&lt;';
    if (character === '>') return '&gt;';
    // A literal CR would be read back as LF (XML 1.0 2.11).
    return character === '\r' ? '&#13;' : '\ufffd';
  });
}
