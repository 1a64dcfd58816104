import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { bytesOf, recordOf } from '../directory/lonely.js';
import { step, twoGestori } from '../support/gestore.js';
import { testPki } from '../support/pki.js';
import { Promises } from './promises.js';
import { courseOf, eventually, readiness, standing, untilCleared, untilRaised } from './watching.js';

/** A directory over HTTP, which may take the question and say nothing. */
class Publisher {
  silent = false;
  asked = 0;
  readonly #server: Server = createServer((_request, response) => {
    this.asked += 1;
    if (!this.silent) response.end(this.ldif);
  });

  constructor(private readonly ldif: Buffer) {}

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/gestori.ldif`;
  }

  /** Lets go of those who wait for an answer. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }
}

const SOURCE = 'directory-source';

test('sources of the directory that are gone, damaged or silent: their last version counts', {
  timeout: 600_000,
}, async (t) => {
  const pki = await testPki();
  const publisher = new Publisher(bytesOf(recordOf('Delta PEC', pki.alfa, 'pec.delta.example')));
  t.after(() => publisher.close());
  const url = await publisher.listen();
  let file = '';
  const pair = await twoGestori(t, {
    prepare: async ({ alfa }) => {
      file = join(alfa.dir, 'gestori.ldif');
      writeFileSync(file, bytesOf(recordOf('Gamma PEC', pki.beta, 'pec.gamma.example')));
      await alfa.run(['config', 'set', 'directory.sources', JSON.stringify([{ file }, { url }])]);
    },
  });
  const { alfa } = pair;
  const promises = new Promises(pair);
  /** What was known is known, in the store and to the server, and mail goes on. */
  const goesOn = async (): Promise<void> => {
    for (const domain of ['pec.gamma.example', 'pec.delta.example']) {
      assert.match(await alfa.run(['directory', 'show', domain]), /(Gamma|Delta) PEC/);
    }
    assert.equal((await readiness(alfa)).code, 200);
    await promises.sent();
    await promises.kept();
  };

  await step(t, pair, 'read at the start, no alarm', async () => {
    await goesOn();
    assert.deepEqual((await readiness(alfa)).alarms, []);
  });

  await step(t, pair, 'one damaged, one silent, at a start: it starts all the same', async () => {
    const right = readFileSync(file);
    writeFileSync(file, right.subarray(0, right.length / 2));
    publisher.silent = true;
    const asked = publisher.asked;
    await alfa.stop();
    const started = alfa.start();
    await eventually('the silent one is asked', () => publisher.asked > asked);
    // It would be given up after half a minute.
    publisher.cut();
    await started;
    await untilRaised(alfa, SOURCE, 2);
    assert.equal(await standing(alfa, SOURCE), 2);
    await goesOn();
    writeFileSync(file, right);
    publisher.silent = false;
    await untilCleared(alfa, SOURCE, 2);
    assert.deepEqual((await readiness(alfa)).alarms, []);
  });

  await step(t, pair, 'one gone while the server runs: told once, read again when it is back', async () => {
    await alfa.stop();
    await alfa.run(['config', 'set', 'directory.refresh', '1s']);
    await alfa.start();
    const before = courseOf(alfa, SOURCE).length;
    const failures = (): number => alfa.log.split('"event":"directory.failed"').length;
    const failed = failures();
    renameSync(file, `${file}.away`);
    await eventually('it is tried more than once', () => failures() > failed + 2);
    await goesOn();
    assert.equal(await standing(alfa, SOURCE), 1);
    renameSync(`${file}.away`, file);
    await eventually('it is over', () => courseOf(alfa, SOURCE).length >= before + 2);
    assert.deepEqual(courseOf(alfa, SOURCE).slice(before), ['raised', 'cleared']);
    await goesOn();
    assert.equal(await standing(alfa, SOURCE), 0);
  });
});
