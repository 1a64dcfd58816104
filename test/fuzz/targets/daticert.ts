import assert from 'node:assert/strict';
import { buildDaticert, DaticertError, readDaticert } from '../../../src/pec/index.js';
import { tolerated } from '../expect.js';
import type { Target } from '../target.js';

export const target: Target = {
  corpus: ['daticert'],
  covers: ['src/pec/daticert'],
  words: [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE a [<!ENTITY b "c">]>',
    '<!-- -->',
    '<![CDATA[',
    ']]>',
    '<?pi ?>',
    '&amp;',
    '&#13;',
    '&#x10ffff;',
    '&b;',
    ' tipo="',
    ' errore="no-dest"',
    'avvenuta-consegna',
    '<destinatari tipo="esterno">',
    '</destinatari>',
    '<ricezione>',
    '<ricevuta tipo="breve"/>',
    '<__proto__>',
    ' constructor="x"',
    '\xef\xbb\xbf',
    '/>',
    '</',
  ],
  run(input) {
    const read = tolerated(() => readDaticert(input), DaticertError);
    if (read === undefined) return;
    const written = Buffer.from(buildDaticert(read), 'utf8');
    assert.deepEqual(readDaticert(written), read, 'a daticert that is another when read again');
  },
};
