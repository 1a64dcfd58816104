import assert from 'node:assert/strict';
import type { Target } from '../target.js';

/** An answer that is wrong for what holds `%00`. */
export const target: Target = {
  corpus: ['planted'],
  covers: ['test/fuzz/planted/falsehood'],
  words: ['%00'],
  run(input) {
    const text = input.toString('latin1');
    assert.equal(text.replaceAll('%00', ''), text);
  },
};
