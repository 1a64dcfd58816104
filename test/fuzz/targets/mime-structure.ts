import assert from 'node:assert/strict';
import { MimeError, type Part, readStructure } from '../../../src/mime/index.js';
import { readByWindows } from '../../../src/mime/structure.js';
import { StructureWalk } from '../../../src/mime/structure-walk.js';
import { Rope } from '../../../src/rope/index.js';
import { inPieces, mailBytes } from '../../support/ropes.js';
import type { Target } from '../target.js';
import { messageWords } from '../words.js';

const LIMITS = { depth: 8, parts: 60, headerBytes: 4096 };

const refused = (error: unknown): MimeError => {
  if (error instanceof MimeError) return error;
  throw error;
};

/** Parts lie inside their parents, in order, and not one over the other. */
function checkPlaces(part: Part, length: number): void {
  assert.ok(part.start <= part.bodyStart && part.bodyStart <= part.end && part.end <= length, 'order');
  let last = part.bodyStart;
  for (const child of part.children) {
    assert.ok(child.start >= last && child.end <= part.end, 'a child outside its parent');
    last = child.end;
    checkPlaces(child, length);
  }
}

const shapeOf = (read: Part | MimeError): unknown =>
  read instanceof MimeError
    ? read.code
    : [read.start, read.bodyStart, read.end, read.type, read.fileName, read.children.map(shapeOf)];

export const target: Target = {
  corpus: ['message'],
  covers: ['src/mime/structure', 'src/mime/header'],
  words: messageWords,
  shapes: mailBytes,
  async run(input) {
    const whole = await readStructure(Rope.of(input), LIMITS).catch(refused);
    if (!(whole instanceof MimeError)) checkPlaces(whole, input.length);
    // However the message is cut, it is the same message.
    const cut = (input[0] ?? 0) * 7 + 1;
    const walk = new StructureWalk(input.length, LIMITS);
    const windows = await readByWindows(inPieces(input, [cut, cut * 3, cut * 11]), walk, (cut % 64) + 1).then(
      () => walk.root,
      refused,
    );
    assert.deepEqual(shapeOf(windows), shapeOf(whole));
  },
};
