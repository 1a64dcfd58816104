import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  lowerBound,
  membersOf,
  readSequenceSet,
  type SequenceNumber,
  writeSet,
} from '../../src/wire/imap/index.js';
import { fuzz, readWhole, refuses } from './imap-fuzz.js';

const read = (text: string) => readWhole(readSequenceSet, text);
type Range = readonly [SequenceNumber, SequenceNumber];

describe('sequence sets (RFC 9051 9)', () => {
  it('are numbers and ranges', () => {
    assert.deepEqual(read('2,4:7,9,12:*'), {
      kind: 'ranges',
      ranges: [
        [2, 2],
        [4, 7],
        [9, 9],
        [12, '*'],
      ],
    });
    assert.deepEqual(read('*:4'), { kind: 'ranges', ranges: [['*', 4]] });
    assert.deepEqual(read('*'), { kind: 'ranges', ranges: [['*', '*']] });
    assert.deepEqual(read('4294967295'), { kind: 'ranges', ranges: [[4294967295, 4294967295]] });
    assert.deepEqual(read('$'), { kind: 'saved' });
  });

  it('are refused otherwise', () => {
    for (const text of [
      '',
      '0',
      '1:0',
      '1,',
      ',1',
      '1:',
      ':1',
      '1:2:3',
      '1,,2',
      '-1',
      '**',
      '4294967296',
      '$,1',
      'a',
      '1 2',
      '1;2',
    ])
      refuses(readSequenceSet, text);
    fuzz(readSequenceSet, [
      '1',
      ':',
      ',',
      '*',
      '$',
      '0',
      '4294967295',
      '4294967296',
      '99999999999999999',
      ' ',
    ]);
  });

  it('may have ten thousand numbers, and not a million', () => {
    const many = Array.from({ length: 10_000 }, (_, at) => 2 * at + 1);
    const set = read(many.join(','));
    assert.deepEqual(set.kind === 'ranges' && membersOf(set.ranges, many), many);
    refuses(readSequenceSet, '1,'.repeat(20_000).concat('1'));
  });

  it('name the last message by *, also past it', () => {
    const members = (text: string, known: number[]): number[] => {
      const set = read(text);
      return set.kind === 'ranges' ? membersOf(set.ranges, known) : [];
    };
    assert.deepEqual(members('3:*', [1, 2]), [2]);
    assert.deepEqual(members('*:3', [1, 2, 5]), [5]);
    assert.deepEqual(members('9', [1, 2]), []);
    assert.deepEqual(members('*,1:*', []), []);
    assert.deepEqual(members('4:2,3,3:9', [1, 2, 3, 5, 9, 10]), [2, 3, 5, 9]);
  });
});

const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 60 })).map((all) => all.sort((a, b) => a - b));
const number = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constant('*' as const));

describe('members', () => {
  it('are those of a plain look at each number', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(number, number), { maxLength: 8 }), numbers, (ranges: Range[], known) => {
        const last = known.at(-1) ?? 0;
        const inside = (value: number): boolean =>
          ranges.some((range) => {
            const [from, to] = range.map((bound) => (bound === '*' ? last : bound)) as [number, number];
            return value >= Math.min(from, to) && value <= Math.max(from, to);
          });
        assert.deepEqual(membersOf(ranges, known), known.filter(inside));
      }),
    );
  });

  it('written as a set are read again', () => {
    assert.equal(writeSet([1, 2, 3, 7, 9, 10]), '1:3,7,9:10');
    assert.equal(writeSet([3, 2, 1]), '3,2,1');
    assert.equal(writeSet([]), '');
    fc.assert(
      fc.property(numbers, (all) => {
        fc.pre(all.length > 0);
        const set = read(writeSet(all));
        assert.deepEqual(
          set.kind === 'ranges' &&
            membersOf(
              set.ranges,
              Array.from({ length: 70 }, (_, at) => at + 1),
            ),
          all,
        );
      }),
    );
  });

  it('are found by bisection', () => {
    fc.assert(
      fc.property(numbers, fc.nat(70), (all, least) => {
        const at = all.findIndex((value) => value >= least);
        assert.equal(lowerBound(all, least), at < 0 ? all.length : at);
      }),
    );
  });
});
