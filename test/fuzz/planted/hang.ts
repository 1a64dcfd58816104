import type { Target } from '../target.js';

/** A reader that does not go on behind `=?`. */
export const target: Target = {
  corpus: ['planted'],
  covers: ['test/fuzz/planted/hang'],
  words: ['=?'],
  run(input) {
    for (let at = 0; at < input.length; ) {
      if (!input.subarray(at).toString('latin1').startsWith('=?')) at += 1;
    }
  },
};
