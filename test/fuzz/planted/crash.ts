import type { Target } from '../target.js';

/** A parser that falls over a quotation mark behind a colon, a callback later. */
export const target: Target = {
  corpus: ['planted'],
  covers: ['test/fuzz/planted/crash'],
  words: [':"'],
  async run(input) {
    if (input.includes(':"')) setImmediate(() => Reflect.apply(input.toString, null, [{}]).missing());
  },
};
