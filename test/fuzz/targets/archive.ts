import assert from 'node:assert/strict';
import { archiveLimits, openFile } from '../../../src/evidence/index.js';
import { Rope } from '../../../src/rope/index.js';
import type { Target } from '../target.js';

const limits = { ...archiveLimits, messageOctets: 1 << 20, totalOctets: 4 << 20, members: 200 };

/** A file somebody hands in holds what it likes: every message found is within the limits, and nothing is thrown. */
export const target: Target = {
  corpus: ['archive'],
  covers: ['src/evidence/archive/'],
  words: [
    'PK\x01\x02',
    'PK\x03\x04',
    'PK\x05\x06',
    'PK\x06\x06',
    'PK\x06\x07',
    '\nFrom ',
    '>From ',
    'Subject: x\n',
    '\n\n',
  ],
  async run(input) {
    let total = 0;
    let count = 0;
    for await (const item of openFile({ name: 'a', file: Rope.of(input), named: true }, limits)) {
      count += 1;
      if (item.kind !== 'message') continue;
      assert.ok(item.bytes.length <= limits.messageOctets, 'a message over the limit');
      total += item.bytes.length;
    }
    assert.ok(count <= limits.members + 1, 'more members than the limit');
    assert.ok(total <= limits.totalOctets + input.length, 'more octets than the limit');
  },
};
