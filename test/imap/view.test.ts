import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { View } from '../../src/imap/view.js';

/** A client's own list: message n is the n-th, each EXPUNGE takes one out at once (RFC 9051 7.5.1). */
interface Client {
  uids: number[];
}

function agree(view: View, { uids }: Client): void {
  assert.deepEqual(view.uids, uids);
  assert.equal(view.size, uids.length);
  assert.equal(view.lastUid, uids.at(-1) ?? 0);
  uids.forEach((uid, at) => {
    assert.equal(view.uidAt(at + 1), uid);
    assert.equal(view.sequenceOf(uid), at + 1);
  });
  for (const sequence of [0, -1, uids.length + 1]) assert.equal(view.uidAt(sequence), undefined);
  for (const uid of [0, (uids.at(-1) ?? 0) + 1]) assert.equal(view.sequenceOf(uid), 0);
}

class Append implements fc.Command<Client, View> {
  constructor(readonly uids: readonly number[]) {}

  check = (): boolean => true;

  run(client: Client, view: View): void {
    const before = client.uids.at(-1) ?? 0;
    const fresh = this.uids.filter((uid, at) => uid > Math.max(before, ...this.uids.slice(0, at)));
    assert.deepEqual(view.append(this.uids), fresh);
    client.uids.push(...fresh);
    agree(view, client);
  }

  toString = (): string => `append ${this.uids}`;
}

class Remove implements fc.Command<Client, View> {
  constructor(readonly uids: readonly number[]) {}

  check = (): boolean => true;

  run(client: Client, view: View): void {
    const gone = client.uids.filter((uid) => this.uids.includes(uid));
    const told = view.remove(this.uids);
    const taken = told.map((sequence) => client.uids.splice(sequence - 1, 1)[0]);
    assert.deepEqual(new Set(taken), new Set(gone));
    assert.equal(taken.length, gone.length);
    agree(view, client);
  }

  toString = (): string => `remove ${this.uids}`;
}

describe('the view of a folder', () => {
  it('is what a client has that believes what it is told', () => {
    const uid = fc.integer({ min: 1, max: 200 });
    const some = fc.array(uid, { maxLength: 12 });
    const all = Array.from({ length: 200 }, (_, at) => at + 1);
    const many = fc.subarray(all, { minLength: 150 });
    const commands = [
      many.map((uids) => new Append(uids)),
      some.map((uids) => new Append(uids.sort((a, b) => a - b))),
      some.map((uids) => new Append(uids)),
      some.map((uids) => new Remove(uids)),
      many.map((uids) => new Remove(uids)),
    ];
    fc.assert(
      fc.property(fc.commands(commands, { size: '+1' }), fc.subarray(all), (run, uids) => {
        fc.modelRun(() => ({ model: { uids: [...uids] }, real: new View(uids) }), run);
      }),
      // A failure stands as it was found: lists of this length take long to make smaller.
      { numRuns: 200, endOnFailure: true },
    );
  });

  it('tells from the last to the first, so that no number moves another', () => {
    assert.deepEqual(new View([2, 4, 6, 8]).remove([4, 8, 2]), [4, 2, 1]);
    assert.deepEqual(new View([2, 4, 6]).remove([3, 9]), []);
    assert.deepEqual(new View([2, 4, 6]).remove([4, 4]), [2]);
  });

  it('is its own: what it was made of may change', () => {
    const uids = [1, 2];
    const view = new View(uids);
    uids.push(3);
    assert.equal(view.size, 2);
  });
});
