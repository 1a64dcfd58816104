import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { readStructure } from '../../src/mime/index.js';
import { Rope } from '../../src/rope/index.js';
import { envelope, remarksOf, sealed, type World, world } from './world.js';

let w: World;
let message: Buffer;
let start: number;
let end: number;
before(async () => {
  w = await world();
  message = await sealed(await envelope(w.pki.alfa), w.pki.alfa.signer);
  const [entity] = (await readStructure(Rope.of(message))).children;
  assert.ok(entity !== undefined);
  ({ start, end } = entity);
  assert.equal((await w.verify(message)).verdict, 'PROVEN');
});

/** Some octets taken out at a place, others put there. */
const mutation = fc.record({
  at: fc.nat(),
  taken: fc.integer({ min: 0, max: 4 }),
  put: fc.uint8Array({ maxLength: 4 }),
});

const applied = (bytes: Buffer, at: number, taken: number, put: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + taken)]);

describe('a PROVEN message changed at random', () => {
  it('is PROVEN no more when the change is in the signed entity', async () => {
    await fc.assert(
      fc.asyncProperty(mutation, async ({ at, taken, put }) => {
        const place = start + (at % (end - start));
        const cut = Math.min(taken, end - place);
        const mutant = applied(message, place, cut, put);
        fc.pre(!mutant.equals(message));
        const { verdict } = await w.verify(mutant);
        assert.notEqual(verdict, 'PROVEN');
      }),
      { numRuns: 200 },
    );
  });

  it('is PROVEN only with the remark that what lies outside is not signed', async () => {
    await fc.assert(
      fc.asyncProperty(mutation, async ({ at, taken, put }) => {
        const outside = message.length - (end - start);
        const offset = at % outside;
        const place = offset < start ? offset : offset + (end - start);
        const cut = offset < start ? Math.min(taken, start - offset) : taken;
        const report = await w.verify(applied(message, place, cut, put));
        if (report.verdict === 'PROVEN') {
          assert.ok(remarksOf(report).includes('outer-header-unsigned'));
          assert.equal(report.kind, 'posta-certificata');
        }
      }),
      { numRuns: 200 },
    );
  });

  it('never makes the verifier throw, whatever the bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
        assert.notEqual((await w.verify(Buffer.from(bytes))).verdict, 'PROVEN');
      }),
    );
  });
});
