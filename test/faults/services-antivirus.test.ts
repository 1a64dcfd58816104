import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ClamdAntivirus } from '../../src/antivirus/clamd.js';
import { Rope } from '../../src/rope/index.js';
import { runningClamd, type TestClamd } from '../support/clamd.js';
import { EICAR } from '../support/eicar.js';
import { step, twoGestori } from '../support/gestore.js';
import { needs } from '../support/programs.js';
import { Promises } from './promises.js';
import { courseOf, readiness, standing, untilCleared, untilRaised } from './watching.js';

const skip = needs('clamd');
const MIB = 1024 * 1024;
/** So that a measure takes no time. */
const limits = {
  'limits.message_size': '2MB',
  'limits.hard_size': '3MB',
  'limits.incoming_size': '4MB',
};

suite('clamd in trouble, asked directly', { skip }, () => {
  const patience = { silence: 500, whole: 5_000 };
  const unavailable = { name: 'AntivirusUnavailable' };

  test('takes connections and never answers; goes on when it goes on', async (t) => {
    const clamd = await runningClamd(t);
    const scanner = new ClamdAntivirus(clamd.address, patience);
    clamd.pause();
    await assert.rejects(scanner.scan(Rope.of('x')), unavailable);
    assert.equal(await scanner.ping(), false);
    clamd.resume();
    assert.equal(
      (await new ClamdAntivirus(clamd.address).scan(Rope.of(EICAR))).virus,
      'Test.EICAR.UNOFFICIAL',
    );
  });

  test('dies in the middle of a scan', async (t) => {
    const clamd = await runningClamd(t);
    const scanner = new ClamdAntivirus(clamd.address);
    let offset = 0;
    const source = {
      length: 8 * MIB,
      async read(at: number, length: number) {
        offset = Math.max(offset, at);
        if (at > 4 * MIB) await clamd.stop('SIGKILL');
        return Buffer.alloc(length, 'x');
      },
    };
    await assert.rejects(scanner.scan(Rope.of(source)), unavailable);
    assert.ok(offset > 0);
    await clamd.start();
    assert.equal((await scanner.scan(Rope.of('x'))).virus, null);
  });

  test('refuses what is over StreamMaxLength, and says so', async (t) => {
    const clamd = await runningClamd(t, { StreamMaxLength: '1M' });
    const scanner = new ClamdAntivirus(clamd.address);
    await assert.rejects(scanner.scan(Rope.of(Buffer.alloc(2 * MIB, 'x'))), { name: 'AntivirusLimit' });
  });
});

test('clamd in trouble, at a server that runs', { skip }, async (t) => {
  const [near, far] = [await runningClamd(t), await runningClamd(t)];
  const using = ({ address }: TestClamd) => ({ ...limits, antivirus: `{clamd: "${address}"}` });
  const pair = await twoGestori(t, { alfa: { config: using(near) }, beta: { config: using(far) } });
  const { alfa, beta } = pair;
  const promises = new Promises(pair);
  const refused = /^451 4\.3\.0 /;

  await step(t, pair, 'there: mail passes, a virus does not', async () => {
    assert.match((await promises.send({ from: 'alfa' }))?.line ?? '', /^250 /);
    const to = [beta.address('bruno')];
    const content = Buffer.from(`From: anna@pec.alfa.example\r\nTo: ${to[0]}\r\n\r\n${EICAR}\r\n`);
    assert.match((await alfa.submit(alfa.account('aldo'), { to, content: fromAldo(content) })).line, /^250 /);
    const [answer] = await alfa.inbox('aldo').waitFor(() => true);
    assert.match(answer?.header ?? '', /X-Ricevuta: non-accettazione/);
    assert.ok((await readiness(alfa)).checks.antivirus);
  });

  await step(t, pair, 'gone: submissions get 451, one alarm stands; back: it is over', async () => {
    await near.stop('SIGKILL');
    for (let count = 0; count < 3; count++)
      assert.match((await promises.send({ from: 'alfa' }))?.line ?? '', refused);
    assert.deepEqual(courseOf(alfa, 'antivirus-unavailable'), ['raised']);
    assert.equal(await standing(alfa, 'antivirus-unavailable'), 1);
    const { code, checks, alarms } = await readiness(alfa);
    assert.deepEqual([code, checks.antivirus, alarms], [503, false, ['antivirus-unavailable']]);
    await near.start();
    // Without any mail: the server looks after it by itself.
    await untilCleared(alfa, 'antivirus-unavailable');
    assert.equal(await standing(alfa, 'antivirus-unavailable'), 0);
    assert.equal((await readiness(alfa)).code, 200);
    assert.match((await promises.send({ from: 'alfa' }))?.line ?? '', /^250 /);
  });

  await step(t, pair, 'gone at the other gestore: the envelope waits, and arrives once', async () => {
    await far.stop('SIGTERM');
    await untilRaised(beta, 'antivirus-unavailable');
    assert.match((await promises.send({ from: 'alfa' }))?.line ?? '', /^250 /);
    const reply = await beta.receive({
      from: 'mario@posta.example',
      to: [beta.address('bruno')],
      content: Buffer.from('From: mario@posta.example\r\nSubject: x\r\n\r\nx\r\n'),
    });
    assert.notEqual(reply.code, 250);
    assert.ok((await alfa.queue()).length > 0, 'it waits');
    await far.start();
    await untilCleared(beta, 'antivirus-unavailable');
    await promises.kept();
  });

  const large = `${'testo qualunque\r\n'.repeat((1.5 * MIB) / 17)}`;
  const infected = `${large}${EICAR}\r\n`;
  for (const [what, directive, told] of [
    ['StreamMaxLength', { StreamMaxLength: '1M' }, /refuses messages of 4 MB.*StreamMaxLength/s],
    ['MaxFileSize', { MaxFileSize: '1M' }, /clean without looking at their end.*MaxFileSize/s],
    ['MaxScanSize', { MaxScanSize: '1M' }, /clean without looking at their end.*MaxScanSize/s],
  ] as const) {
    await step(
      t,
      pair,
      `${what} too small: nothing that large passes, the alarm says what to set`,
      async () => {
        const before = courseOf(alfa, 'antivirus-limit').length;
        await near.stop();
        await near.start(directive);
        assert.match((await promises.send({ body: infected }))?.line ?? '', refused);
        assert.match((await promises.send({ body: large }))?.line ?? '', refused);
        assert.match((await promises.send({ from: 'alfa' }))?.line ?? '', /^250 /);
        assert.deepEqual(courseOf(alfa, 'antivirus-limit').slice(before), ['raised']);
        const { code, out } = await alfa.try(['doctor']);
        assert.equal(code, 1);
        assert.match(out, told);
        await near.stop();
        await near.start();
        await untilCleared(alfa, 'antivirus-limit', before / 2 + 1);
        assert.match((await promises.send({ body: large }))?.line ?? '', /^250 /);
        assert.match((await alfa.try(['doctor'])).out, /finds the test file at the end of a message of 4/);
      },
    );
  }

  await step(t, pair, 'what was promised is there, and nothing else', () => promises.kept());
});

const fromAldo = (content: Buffer): Buffer =>
  Buffer.from(content.toString('latin1').replace('anna@', 'aldo@'), 'latin1');
