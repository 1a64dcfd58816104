/** What a stranger learns by trying to log in: not who has a mailbox here, and no password from any log or disk. A real process. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import { loggedName } from '../../src/accounts/index.js';
import { hashNewPassword, NOBODY } from '../../src/accounts/password.js';
import { Dialogue as Pop3Dialogue } from '../pop3/dialogue.js';
import { Dialogue } from '../smtp/dialogue.js';
import { type Pair, step, twoGestori } from '../support/gestore.js';
import { scramFinal, scramFirst } from '../support/scram-client.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Each stands for a whole password: none may be in a log, in any of the forms it travels in. */
const SECRETS = ['segreto-giusto-uno', 'segreto-sbagliato-due', 'segreto-fuori-posto-tre'] as const;
const [RIGHT, WRONG, MISPLACED] = SECRETS;

/** Names to log in with: only the first is somebody who could. */
const names = ({ alfa }: Pair): string[] => [
  alfa.address('carla'),
  alfa.address('nessuno'),
  alfa.address('revocata'),
  alfa.address('posta-certificata'),
  'carla@altrove.example',
  'carla',
  `${'x'.repeat(70)}@${alfa.domain}`,
  "carla'OR'1'='1",
];

async function submission({ alfa }: Pair, port: 465 | 587 = 465): Promise<Dialogue> {
  const dialogue = await Dialogue.open(alfa.port(port), port === 465);
  await dialogue.hear();
  await dialogue.ask('EHLO client.example');
  if (port === 587) {
    await dialogue.ask('STARTTLS');
    await dialogue.startTls();
    await dialogue.ask('EHLO client.example');
  }
  return dialogue;
}

/** Every answer of a login that fails, in order, by each way there is. */
const ways: Readonly<Record<string, (pair: Pair, name: string) => Promise<string[]>>> = {
  'AUTH PLAIN': async (pair, name) => {
    const dialogue = await submission(pair);
    const answers = [await dialogue.ask(`AUTH PLAIN ${base64(`\0${name}\0${WRONG}`)}`)];
    dialogue.close();
    return answers;
  },
  'AUTH LOGIN': async (pair, name) => {
    const dialogue = await submission(pair, 587);
    const answers = [
      await dialogue.ask('AUTH LOGIN'),
      await dialogue.ask(base64(name)),
      await dialogue.ask(base64(WRONG)),
    ];
    dialogue.close();
    return answers;
  },
  'USER and PASS': async ({ alfa }, name) => {
    const dialogue = await Pop3Dialogue.open(alfa.port(995));
    await dialogue.hear();
    const answers = [await dialogue.ask(`USER ${name}`), await dialogue.ask(`PASS ${WRONG}`)];
    dialogue.close();
    return answers;
  },
  'AUTH PLAIN of POP3': async ({ alfa }, name) => {
    const dialogue = await Pop3Dialogue.open(alfa.port(995));
    await dialogue.hear();
    const answers = [await dialogue.ask('AUTH PLAIN'), await dialogue.ask(base64(`\0${name}\0${WRONG}`))];
    dialogue.close();
    return answers;
  },
  'SCRAM of POP3': async ({ alfa }, name) => {
    const dialogue = await Pop3Dialogue.open(alfa.port(995));
    await dialogue.hear();
    const first = scramFirst(name.replaceAll('=', '=3D'));
    const challenge = await dialogue.ask(`AUTH SCRAM-SHA-256 ${base64(first)}`);
    const asked = Buffer.from(challenge.slice(2), 'base64').toString();
    const { message } = scramFinal(first, asked, WRONG);
    // Nonce and salt are each time others, or each name's own: alike they are in their form.
    const form = asked.replace(/^r=[!-+.-~-]*,s=[A-Za-z0-9+/]{22}==/, ({ length }) => `${length} octets`);
    const answers = [form, await dialogue.ask(base64(message))];
    dialogue.close();
    return answers;
  },
};

test('a stranger at the login', async (t) => {
  const pair = await twoGestori(t, { alfa: { config: { 'log.level': 'trace' } } });
  const { alfa } = pair;
  for (const local of ['carla', 'revocata', 'sospesa']) {
    await alfa.run(['mailbox', 'add', alfa.address(local), '--password-stdin'], `${RIGHT}\n`);
  }
  await alfa.run(['mailbox', 'revoke', alfa.address('revocata')]);
  await alfa.run(['mailbox', 'suspend', alfa.address('sospesa')]);

  for (const [way, ask] of Object.entries(ways)) {
    await step(t, pair, `${way} says the same of everybody`, async () => {
      const [somebody = '', ...others] = names(pair);
      const expected = await ask(pair, somebody);
      assert.match(expected.at(-1) ?? '', /^(535 5\.7\.8|-ERR \[AUTH\]) /);
      for (const name of [...others, alfa.address('sospesa'), alfa.address('ricevute')])
        assert.deepEqual(await ask(pair, name), expected, name);
    });
  }

  await step(t, pair, 'RCPT, VRFY and EXPN say the same of a mailbox and of none', async () => {
    const stranger = await Dialogue.open(alfa.port(25));
    await stranger.hear();
    await stranger.ask('EHLO client.example');
    await stranger.ask('MAIL FROM:<x@stranger.example>');
    const user = await submission(pair);
    await user.ask(`AUTH PLAIN ${base64(`\0${alfa.address('carla')}\0${RIGHT}`)}`);
    assert.match(await user.ask(`MAIL FROM:<${alfa.address('carla')}>`), /^250 /);
    for (const dialogue of [stranger, user]) {
      const expected = await dialogue.ask(`RCPT TO:<${alfa.address('anna')}>`);
      assert.match(expected, /^250 /);
      for (const local of ['nessuno', 'revocata', 'sospesa', 'ricevute'])
        assert.equal(await dialogue.ask(`RCPT TO:<${alfa.address(local)}>`), expected);
      for (const command of ['VRFY', 'EXPN']) {
        const answer = await dialogue.ask(`${command} ${alfa.address('anna')}`);
        assert.equal(await dialogue.ask(`${command} ${alfa.address('nessuno')}`), answer);
      }
    }
    await user.ask('RSET');
    const own = (local: string) => user.ask(`MAIL FROM:<${alfa.address(local)}>`);
    const refusal = (await own('anna')).replace('anna', 'X');
    assert.match(refusal, /^553 /);
    assert.equal((await own('nessuno')).replace('nessuno', 'X'), refusal);
    stranger.close();
    user.close();
  });

  await step(
    t,
    pair,
    'no password, right, wrong or in the wrong place, is in a log or on the disk',
    async () => {
      const carla = alfa.address('carla');
      const said: string[] = [];
      for (const port of [465, 587] as const) {
        for (const lines of [
          [`AUTH PLAIN ${base64(`\0${carla}\0${RIGHT}`)}`],
          [`AUTH PLAIN ${base64(`\0${MISPLACED}\0${MISPLACED}`)}`],
          [`AUTH PLAIN ${base64(`${MISPLACED}\0${carla}\0${WRONG}`)}`],
          [`AUTH PLAIN ${base64(MISPLACED)}`],
          [`AUTH ${MISPLACED}`],
          [`${MISPLACED} ${base64(MISPLACED)}`],
          ['AUTH LOGIN', base64(MISPLACED), base64(WRONG)],
          ['AUTH LOGIN', MISPLACED],
          ['AUTH LOGIN', base64(carla), WRONG],
          ['AUTH PLAIN', `${base64(`\0${carla}\0${WRONG}`)} ${MISPLACED}`],
        ]) {
          const dialogue = await submission(pair, port);
          for (const line of lines) said.push(await dialogue.ask(line));
          dialogue.close();
        }
      }
      for (const lines of [
        [`USER ${carla}`, `PASS ${RIGHT}`, `PASS ${MISPLACED}`],
        [`PASS ${MISPLACED}`],
        [`USER ${MISPLACED}`, `PASS ${WRONG}`],
        [`USER ${carla} ${MISPLACED}`, `PASS ${WRONG}`],
        [`${MISPLACED} ${MISPLACED}`],
        ['AUTH PLAIN', base64(`\0${carla}\0${RIGHT}`)],
        ['AUTH PLAIN', base64(MISPLACED)],
        [`AUTH ${MISPLACED} ${base64(MISPLACED)}`],
        [`APOP ${carla} ${MISPLACED}`],
      ]) {
        const dialogue = await Pop3Dialogue.open(alfa.port(995));
        await dialogue.hear();
        for (const line of lines) said.push(await dialogue.ask(line));
        dialogue.close();
      }
      await alfa.run(['mailbox', 'passwd', carla, '--password-stdin'], `${MISPLACED}\n`);
      assert.ok(said.some((line) => line.startsWith('235 ')));
      await alfa.stop();
      assert.match(alfa.log, /login\.failed/);
      assert.match(alfa.log, /login\.ok/);

      const forms = SECRETS.flatMap((secret) => [
        secret,
        base64(secret).slice(0, -4),
        base64(`\0${carla}\0${secret}`).slice(0, -4),
        base64(`\0${secret}\0${secret}`).slice(0, -4),
      ]);
      const places = [['log', Buffer.from(alfa.log)] as const, ...filesUnder(alfa.dir)];
      assert.ok(places.some(([name]) => name.endsWith('ceralacca.db')));
      for (const form of forms) {
        for (const [name, bytes] of places) assert.ok(!bytes.includes(form), `${form} is in ${name}`);
        assert.ok(!said.some((line) => line.includes(form)), form);
      }
    },
  );
});

function* filesUnder(folder: string): Generator<readonly [string, Buffer]> {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile()) yield [path, readFileSync(path)];
  }
}

describe('a login that fails', () => {
  it('costs the same for nobody as for somebody', async () => {
    const cost = (hash: string): string[] => hash.split('$').slice(1, 4);
    const made = await hashNewPassword('parola di prova');
    assert.deepEqual(cost(NOBODY), cost(made));
    assert.deepEqual(
      NOBODY.split('$').map((part) => part.length),
      made.split('$').map((part) => part.length),
    );
  });

  it('is logged by name only where the name is an address', () => {
    assert.equal(loggedName('anna@pec.alfa.example'), 'anna@pec.alfa.example');
    for (const user of ['la mia parola', 'p@ssw0rd', 'a@b.example\r\n{"level":60}', '']) {
      assert.equal(loggedName(user), '(no address)');
    }
  });
});
