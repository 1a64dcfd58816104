import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Engine, News } from '../../../src/storage/engine.js';
import { StoreConflict, StoreUnavailable } from '../../../src/storage/errors.js';
import { soundChain } from '../support/chain.js';
import { listKeys, someKeys } from '../support/operations.js';

/** One database with the store's schema, and engines on it that run `support/operations.ts`. */
export interface Place {
  open(options?: { waitingLimit?: number }): Promise<Engine>;
  remove(): Promise<void>;
}

/** What every engine does, whatever database is behind it. */
export function engineContract(name: string, newPlace: () => Promise<Place>): void {
  const engineTest = (title: string, run: (engine: Engine, place: Place) => Promise<void>): void => {
    test(`${name}: ${title}`, async () => {
      const place = await newPlace();
      const engine = await place.open();
      try {
        await run(engine, place);
      } finally {
        await engine.close();
        await place.remove();
      }
    });
  };

  engineTest('a write answers what its operation returns, and reads see it', async (engine) => {
    assert.equal(await engine.write('put', { key: 'a' }), 'put a');
    assert.deepEqual(await engine.read(listKeys, {}), ['a']);
  });

  engineTest('plain data passes unchanged, and views without what is behind them', async (engine) => {
    const behind = Buffer.from('secret-visible-secret');
    const input = {
      text: 'è',
      n: 1.5,
      none: null,
      list: [1, { deep: behind.subarray(7, 14) }],
      view: behind.subarray(0, 6),
    };
    const output = (await engine.write('echo', input)) as {
      view: Uint8Array;
      list: [number, { deep: Uint8Array }];
    };
    assert.equal(Buffer.from(output.view).toString(), 'secret');
    assert.equal(Buffer.from(output.list[1].deep).toString(), 'visible');
    assert.equal(output.list[1].deep.buffer.byteLength, 7);
    assert.deepEqual({ ...output, view: 0, list: 0 }, { ...input, view: 0, list: 0 });
  });

  engineTest('many writes at once are all there, and the chain is whole', async (engine) => {
    const keys = Array.from({ length: 500 }, (_, at) => `k${String(at).padStart(3, '0')}`);
    await Promise.all(keys.map((key) => engine.write('putAndAppend', { key })));
    assert.deepEqual(await engine.read(listKeys, {}), keys);
    assert.deepEqual((await soundChain(engine)).sort(), keys);
  });

  engineTest('what fails is undone alone, and its error arrives with its fields', async (engine) => {
    const outcomes = await Promise.allSettled([
      engine.write('putAndAppend', { key: 'a' }),
      engine.write('failAfterAll', { key: 'b' }),
      engine.write('putAndAppend', { key: 'c' }),
      engine.write('failOtherwise', { key: 'd' }),
      engine.write('putAndAppend', { key: 'a' }),
      engine.write('noSuchOperation', {}),
      engine.write('badEvent', { key: 'e' }),
      engine.write('put', { key: () => 'not to be cloned' }),
      engine.write('putAndAppend', { key: 'f' }),
    ]);
    assert.deepEqual(
      outcomes.map(({ status }) => status === 'fulfilled'),
      [true, false, true, false, false, false, false, false, true],
    );
    const reasons = outcomes.map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as Error) : undefined,
    );
    const conflict = reasons[1];
    assert.ok(conflict instanceof StoreConflict);
    assert.equal(conflict.what, 'quota');
    assert.equal(conflict.message, 'the mailbox is full');
    assert.deepEqual(conflict.details, { key: 'b', used: 10, wanted: null });
    assert.equal(reasons[3]?.name, 'RangeError');
    assert.equal(reasons[3]?.message, 'cannot d');
    assert.deepEqual({ ...reasons[3] }, { code: 'ODD', name: 'RangeError' });
    assert.ok(
      reasons[4] !== undefined && !(reasons[4] instanceof StoreUnavailable),
      'a broken key is no outage',
    );
    assert.match(String(reasons[5]?.message), /noSuchOperation/);
    assert.deepEqual(await engine.read(listKeys, {}), ['a', 'c', 'f']);
    assert.deepEqual(await soundChain(engine), ['a', 'c', 'f']);
  });

  engineTest('an operation may catch a broken key and go on', async (engine) => {
    await engine.write('put', { key: 'a' });
    assert.notEqual(await engine.write('swallow', { key: 'a', other: 'b' }), 'nothing');
    assert.deepEqual(await engine.read(listKeys, {}), ['a', 'b']);
  });

  engineTest('whatever fails and in whatever order, the rest is as if it had been alone', async (engine) => {
    let run = 0;
    const steps = fc.array(
      fc.tuple(fc.constantFrom('putAndAppend', 'failAfterAll', 'failOtherwise'), fc.nat(12)),
      {
        maxLength: 40,
      },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        run += 1;
        const before = await soundChain(engine);
        const model: string[] = [];
        const writes = list.map(([operation, number]) => {
          const key = `${run}-${number}`;
          const stays = operation === 'putAndAppend' && !model.includes(key);
          if (stays) model.push(key);
          return { done: engine.write(operation, { key }), stays };
        });
        for (const { done, stays } of writes) {
          if (stays) await done;
          else await assert.rejects(done);
        }
        assert.deepEqual((await soundChain(engine)).slice(before.length), model);
        assert.deepEqual(await engine.read(someKeys, { keys: model }), [...model].sort());
      }),
      { numRuns: 25 },
    );
  });

  engineTest('lists of any length are one parameter', async (engine) => {
    await engine.write('put', { key: "it's" });
    assert.deepEqual(await engine.read(someKeys, { keys: [] }), []);
    assert.deepEqual(await engine.read(someKeys, { keys: ["it's", '"', 'à'] }), ["it's"]);
  });

  engineTest('too many waiting writes are refused, the others are done', async (_engine, place) => {
    const narrow = await place.open({ waitingLimit: 10 });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 15 }, (_, at) => narrow.write('put', { key: `k${at}` })),
    );
    const refused = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
    );
    assert.equal(refused.length, 5);
    assert.ok(refused.every((error) => error instanceof StoreUnavailable && error.reason === 'busy'));
    assert.equal((await narrow.read(listKeys, {})).length, 10);
    assert.equal(await narrow.write('put', { key: 'later' }), 'put later');
    await narrow.close();
  });

  engineTest('closing lets what waits finish, and refuses what comes', async (_engine, place) => {
    const closing = await place.open();
    const waiting = Array.from({ length: 50 }, (_, at) => closing.write('put', { key: `k${at}` }));
    const closed = closing.close();
    const refused = await closing.write('put', { key: 'late' }).catch((error: unknown) => error);
    assert.ok(refused instanceof StoreUnavailable && refused.reason === 'closed');
    await Promise.all(waiting);
    await closed;
    await closing.close();
    await assert.rejects(closing.read(listKeys, {}), StoreUnavailable);
  });

  engineTest(
    'what was acknowledged is there when opened again, and the chain goes on',
    async (engine, place) => {
      await engine.write('putAndAppend', { key: 'a' });
      await engine.close();
      const again = await place.open();
      await again.write('putAndAppend', { key: 'b' });
      assert.deepEqual(await soundChain(again), ['a', 'b']);
      await again.close();
    },
  );

  engineTest('news tells what was touched, after the commit and only then', async (engine) => {
    const heard: News[] = [];
    const end = engine.onNews((news) => heard.push(news));
    await assert.rejects(engine.write('failAfterAll', { key: 'a' }));
    await engine.write('echo', 1);
    assert.equal(heard.length, 0);
    await Promise.all([engine.write('put', { key: 'b' }), engine.write('putAndAppend', { key: 'ccc' })]);
    await engine.write('echo', 1);
    assert.ok(heard.some((news) => news.queue));
    assert.ok(heard.some((news) => news.mailboxes.includes(3)));
    end();
    const before = heard.length;
    await engine.write('put', { key: 'd' });
    await engine.write('echo', 1);
    assert.equal(heard.length, before);
  });

  engineTest('two processes may write side by side, and hear of each other', async (engine, place) => {
    const other = await place.open();
    const told = new Promise<void>((resolve) => {
      const end = engine.onNews((news) => {
        if (news.elsewhere !== true && !news.mailboxes.includes(2)) return;
        end();
        resolve();
      });
    });
    const keys = Array.from({ length: 60 }, (_, at) => `k${at}`);
    await Promise.all(keys.map((key, at) => (at % 2 === 0 ? engine : other).write('putAndAppend', { key })));
    assert.deepEqual((await soundChain(engine)).sort(), [...keys].sort());
    await other.write('putAndAppend', { key: 'xx' });
    await told;
    assert.ok((await engine.read(listKeys, {})).includes('xx'));
    await other.close();
  });
}
