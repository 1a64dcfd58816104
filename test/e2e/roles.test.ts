import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { settled, step, type TestGestore, twoGestori } from '../support/gestore.js';
import { field } from '../support/inbox.js';
import { identificativoIn, letter } from './letters.js';

const program = fileURLToPath(new URL('../support/ceralacca.js', import.meta.url));

/** A server with some of the roles: its process, and what it writes. */
class Part {
  readonly process: ChildProcess;
  output = '';

  constructor(gestore: TestGestore, roles: string) {
    const args = ['--enable-source-maps', program, 'serve', '-c', gestore.configFile, '--roles', roles];
    this.process = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
        this.process.emit('said');
      });
    }
  }

  async started(): Promise<void> {
    while (!this.output.includes('server.started')) {
      assert.equal(this.process.exitCode, null, this.output);
      await Promise.race([once(this.process, 'said'), once(this.process, 'exit')]);
    }
  }

  async ended(signal?: 'SIGTERM'): Promise<number | null> {
    const { process } = this;
    if (process.exitCode !== null || process.signalCode !== null) return process.exitCode;
    const exit = once(process, 'exit');
    if (signal !== undefined) process.kill(signal);
    await exit;
    return process.exitCode;
  }
}

test('one gestore in two processes, and one too many', async (t) => {
  const parts: Part[] = [];
  const pair = await twoGestori(t);
  t.after(async () => {
    for (const part of parts) {
      part.process.kill('SIGKILL');
      await part.ended();
    }
  });
  const { alfa, beta } = pair;
  const serve = (roles: string): Part => {
    const part = new Part(alfa, roles);
    parts.push(part);
    return part;
  };
  const exchange = async (subject: string): Promise<void> => {
    const from = alfa.account('anna');
    const to = [beta.address('bruno'), alfa.address('aldo')];
    const reply = await alfa.submit(from, { to, content: letter({ from: from.address, to, subject }) });
    const id = identificativoIn(reply);
    await settled(pair);
    const answers = await alfa.inbox('anna').messages();
    const consegne = answers.filter(
      (message) => field(message, 'X-Ricevuta') === 'avvenuta-consegna' && message.bytes.includes(id),
    );
    assert.equal(consegne.length, 2, subject);
    const held = await alfa.inbox('aldo').messages();
    assert.equal(held.filter((message) => field(message, 'Subject')?.includes(subject)).length, 1);
  };

  await step(
    t,
    pair,
    'a second server on the same folder does not start, and the first goes on',
    async () => {
      for (const roles of ['access,incoming,relay,pop3,web,timers', 'relay', 'timers']) {
        const second = serve(roles);
        assert.equal(await second.ended(), 1);
        assert.match(second.output, /another ceralacca serves this folder/);
      }
      await exchange('Dopo il secondo');
    },
  );

  await step(t, pair, 'access and relay in one process, incoming and POP3 in another', async () => {
    assert.equal(await alfa.stop(), 0);
    const sending = serve('access,relay');
    const receiving = serve('incoming,pop3,timers,web');
    await Promise.all([sending.started(), receiving.started()]);
    await exchange('In due');
    const again = serve('relay');
    assert.equal(await again.ended(), 1);
    await exchange('Ancora in due');
    assert.equal(await sending.ended('SIGTERM'), 0, sending.output);
    assert.equal(await receiving.ended('SIGTERM'), 0, receiving.output);
    await alfa.start();
    await exchange('Di nuovo in uno');
  });
});
