import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Pair, step, twoGestori } from '../support/gestore.js';
import { needs } from '../support/programs.js';
import { letter } from './letters.js';
import { about, said } from './reading.js';

/** Sends over SMTPS and STARTTLS, then reads POP3S until each message has its two receipts. */
const python = `
import email.message, poplib, smtplib, ssl, sys, time
ca, smtps, starttls, pop3s, user, password, to = sys.argv[1:]
tls = ssl.create_default_context(cafile=ca)

def message(subject):
    made = email.message.EmailMessage()
    made['From'], made['To'], made['Subject'] = user, to, subject
    made['Message-ID'] = '<%s@python.example>' % subject.replace(' ', '.')
    made.set_content('Perch\\u00e9 no?\\n.\\n', cte='8bit')
    return made

with smtplib.SMTP_SSL('localhost', int(smtps), context=tls) as client:
    client.login(user, password)
    assert client.send_message(message('Da smtplib uno')) == {}
with smtplib.SMTP('localhost', int(starttls)) as client:
    client.starttls(context=tls)
    client.login(user, password)
    assert client.send_message(message('Da smtplib due')) == {}

for attempt in range(300):
    client = poplib.POP3_SSL('localhost', int(pop3s), context=tls)
    client.user(user)
    client.pass_(password)
    count = client.stat()[0]
    subjects = []
    for number in range(1, count + 1):
        text = b'\\r\\n'.join(client.retr(number)[1])
        subjects.append(email.message_from_bytes(text)['Subject'])
    client.quit()
    ours = sorted(subject for subject in subjects if 'smtplib' in subject)
    if len(ours) == 4:
        print('\\n'.join(ours))
        sys.exit(0)
    time.sleep(0.2)
sys.exit('only ' + repr(subjects))
`;

interface Finished {
  readonly code: number | null;
  readonly output: string;
}

function run(program: string, ...args: readonly string[]): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString('latin1');
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

test('mail programs that know nothing of PEC', async (t) => {
  const pair = await twoGestori(t);
  await step(t, pair, "Python's smtplib and poplib", () => withPython(pair), { skip: needs('python3') });
  await step(t, pair, 'curl', () => withCurl(pair), { skip: needs('curl') });
  await step(t, pair, 'swaks', () => withSwaks(pair), { skip: needs('swaks') });
});

async function withPython({ alfa, beta }: Pair): Promise<void> {
  const { address, password } = alfa.account('anna');
  const ports = [465, 587, 995].map((port) => String(alfa.port(port as 465 | 587 | 995)));
  const args = ['-c', python, alfa.caFile, ...ports, address, password, beta.address('bruno')];
  const { code, output } = await run('python3', ...args);
  assert.equal(code, 0, output);
  assert.deepEqual(output.trim().split(/\r?\n/), [
    'ACCETTAZIONE: Da smtplib due',
    'ACCETTAZIONE: Da smtplib uno',
    'CONSEGNA: Da smtplib due',
    'CONSEGNA: Da smtplib uno',
  ]);
}

async function withCurl({ alfa, beta }: Pair): Promise<void> {
  const { address, password } = alfa.account('aldo');
  const to = beta.address('berta');
  const file = join(alfa.dir, 'curl.eml');
  writeFileSync(file, letter({ from: address, to: [to], subject: 'Da curl' }));
  const common = ['--silent', '--show-error', '--verbose', '--cacert', alfa.caFile];
  const sent = await run(
    'curl',
    ...common,
    ...['--url', `smtps://localhost:${alfa.port(465)}`, '--user', `${address}:${password}`],
    ...['--mail-from', address, '--mail-rcpt', to, '--upload-file', file],
  );
  assert.equal(sent.code, 0, sent.output);
  const [, id = ''] = /< 250 2\.0\.0 (\S+@\S+)/.exec(sent.output) ?? [];
  await beta.inbox('berta').waitFor(about(id));
  const { password: hers } = beta.account('berta');
  const read = await run(
    'curl',
    ...['--silent', '--show-error', '--cacert', beta.caFile],
    ...['--url', `pop3s://localhost:${beta.port(995)}/1`, '--user', `${to}:${hers}`],
  );
  assert.equal(read.code, 0, read.output);
  const bytes = Buffer.from(read.output, 'latin1');
  assert.equal(said({ bytes }).identificativo, id);
  const [held] = await beta.inbox('berta').messages();
  assert.ok(held?.bytes.equals(bytes));
}

/** In clear, as `testing: true` allows on loopback: Debian's swaks comes without TLS. */
async function withSwaks({ alfa, beta }: Pair): Promise<void> {
  const { address, password } = alfa.account('anna');
  const to = beta.address('bruno');
  const { code, output } = await run(
    'swaks',
    ...['--server', '127.0.0.1', '--port', String(alfa.port(587)), '--from', address, '--to', to],
    ...['--auth', 'PLAIN', '--auth-user', address, '--auth-password', password],
    ...['--header', 'Subject: Da swaks', '--body', 'Buongiorno.'],
  );
  assert.equal(code, 0, output);
  const [, id = ''] = /<-\s+250 2\.0\.0 (\S+@\S+)/.exec(output) ?? [];
  await beta.inbox('bruno').waitFor(about(id));
  await alfa.inbox('anna').waitFor(about(id, 'avvenuta-consegna'));
}
