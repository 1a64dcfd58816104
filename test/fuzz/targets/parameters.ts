import assert from 'node:assert/strict';
import { formatParameter, parseContentType, parseDisposition } from '../../../src/mime/index.js';
import type { Target } from '../target.js';
import { messageWords } from '../words.js';

export const target: Target = {
  corpus: ['parameters'],
  covers: ['src/mime/parameters', 'src/mime/content-type', 'src/mime/charset'],
  words: [...messageWords, "*=utf-8''", '*0=', '*1*=', '*10*=', '%c3%a0', "''", 'name=', '\\"'],
  longest: 4096,
  run(input) {
    const raw = input.toString('latin1');
    const { type, subtype, parameters } = parseContentType(raw);
    assert.match(`${type}/${subtype}`, /^[\x21-\x7e]+$/);
    parseDisposition(raw);
    for (const name of parameters.keys()) assert.equal(name, name.toLowerCase());
    const value = input.toString('utf8');
    const written = `attachment${formatParameter('filename', value)}`;
    for (const line of written.split('\r\n')) assert.ok(line.length <= 998, 'a line too long');
    const unfolded = written.replaceAll('\r\n', '');
    assert.ok(/^[\x20-\x7e]*$/.test(unfolded), 'not ASCII');
    assert.equal(
      parseDisposition(unfolded).parameters.get('filename'),
      value,
      'a name that is another when read',
    );
  },
};
