import assert from 'node:assert/strict';
import { type Layout, summarise } from '../../../src/mailstore/index.js';
import { Rope } from '../../../src/rope/index.js';
import { mailBytes } from '../../support/ropes.js';
import { type Data, readData } from '../../wire/imap-data.js';
import type { Target } from '../target.js';
import { messageWords } from '../words.js';

/** What a client reads of a listing: one list, strictly (RFC 9051 9). */
function listOf(text: string): readonly Data[] {
  const [list, ...more] = readData(text);
  assert.ok(Array.isArray(list) && more.length === 0, 'a listing that is no list');
  return list;
}

/** Parts lie inside their parents, in order, and are as many as the listing shows. */
function checkPlaces(layout: Layout, [first = 0, last = 0]: readonly number[], body: readonly Data[]): void {
  const [start, bodyStart, end, parts, message] = layout;
  assert.ok(first <= start && start <= bodyStart && bodyStart <= end && end <= last, 'a part out of place');
  const shown = body.filter((item, at) => Array.isArray(item) && at < Math.max(1, parts.length));
  if (parts.length > 0) assert.equal(shown.length, parts.length, 'parts that are not shown');
  let from = bodyStart;
  for (const [at, part] of parts.entries()) {
    checkPlaces(part, [from, end], shown[at] as readonly Data[]);
    from = part[2];
  }
  if (message !== null) checkPlaces(message, [bodyStart, end], body[8] as readonly Data[]);
}

export const target: Target = {
  corpus: ['message', 'signed'],
  covers: ['src/wire/imap/envelope', 'src/wire/imap/body-structure', 'src/mailstore/'],
  words: [...messageWords, 'Sender: gruppo: a@b, "x" <@r:c@d>;, (z) y;\r\n', 'Content-Language: it, en\r\n'],
  shapes: mailBytes,
  async run(input) {
    const { summary } = await summarise(Rope.of(input));
    assert.equal(listOf(summary.envelope).length, 10);
    const layout = JSON.parse(summary.parts) as Layout;
    assert.deepEqual([layout[0], layout[2]], [0, input.length]);
    for (const text of [summary.body, summary.bodyStructure])
      checkPlaces(layout, [0, input.length], listOf(text));
    if (summary.header !== null)
      assert.ok(input.subarray(0, layout[1]).equals(summary.header), 'another header');
    assert.ok(summary.preview.length <= 256 && !/[\r\n]/.test(summary.preview), 'a preview of lines');
    assert.ok(JSON.parse(summary.sort));
  },
};
