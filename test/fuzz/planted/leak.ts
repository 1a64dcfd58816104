import type { Target } from '../target.js';

const OCTETS = 1024 * 1024;
const kept: Buffer[] = [];

/** Keeps something of every input that holds a `<`. */
export const target: Target = {
  corpus: ['planted'],
  covers: ['test/fuzz/planted/leak'],
  words: ['<'],
  run(input) {
    if (input.includes('<')) kept.push(Buffer.alloc(OCTETS));
  },
};
