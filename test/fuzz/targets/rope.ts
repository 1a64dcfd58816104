import assert from 'node:assert/strict';
import { Rope } from '../../../src/rope/index.js';
import { sourceOf } from '../../support/ropes.js';
import type { Target } from '../target.js';

interface Pair {
  readonly rope: Rope;
  readonly bytes: Buffer;
}

/** Octets of the program that a step reads. */
const STEP = 4;
const MOST_OCTETS = 1 << 16;

/** One step: a literal, a source, a slice or a join of what is there. */
function step(
  stack: readonly Pair[],
  [kind = 0, first = 0, second = 0, third = 0]: Buffer,
  data: Buffer,
): Pair {
  const one = stack[first % Math.max(1, stack.length)] ?? { rope: Rope.empty, bytes: Buffer.alloc(0) };
  const other = stack[second % Math.max(1, stack.length)] ?? one;
  const piece = data.subarray(first % (data.length + 1), (first % (data.length + 1)) + second);
  switch (kind % 6) {
    case 0:
      return { rope: Rope.of(piece), bytes: piece };
    case 1:
      return { rope: Rope.of(sourceOf(piece)), bytes: piece };
    case 2:
      return { rope: Rope.of(piece.toString('latin1')), bytes: piece };
    case 3:
      return { rope: Rope.of(one.rope, other.rope), bytes: Buffer.concat([one.bytes, other.bytes]) };
    case 4: {
      const start = second * (third % 3);
      return { rope: one.rope.slice(start, start + third), bytes: one.bytes.subarray(start, start + third) };
    }
    default:
      return {
        rope: Rope.of(one.rope.slice(second), piece, { bytes: other.bytes }),
        bytes: Buffer.concat([one.bytes.subarray(second), piece, other.bytes]),
      };
  }
}

async function check({ rope, bytes }: Pair, needle: Buffer): Promise<void> {
  assert.equal(rope.length, bytes.length);
  assert.ok((await rope.bytes()).equals(bytes));
  const resident = rope.resident();
  assert.ok(resident === undefined || resident.equals(bytes));
  const from = needle[0] ?? 0;
  if (needle.length > 0 && from <= bytes.length)
    assert.equal(await rope.indexOf(needle, from), bytes.indexOf(needle, from));
  for (const segment of rope.segments) assert.ok(!('bytes' in segment) || segment.bytes.length > 0);
}

/** The input is a program that builds ropes, and the same strings as Buffers. */
export const target: Target = {
  corpus: ['rope'],
  covers: ['src/rope/'],
  longest: 256,
  async run(input) {
    const stack: Pair[] = [];
    for (let at = 0; at + STEP <= input.length; at += STEP) {
      const next = step(stack, input.subarray(at, at + STEP), input);
      if (next.bytes.length > MOST_OCTETS) continue;
      stack.push(next);
      await check(next, input.subarray(at, at + 1 + (at % 3)));
    }
  },
};
