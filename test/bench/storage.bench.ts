/**
 * Submissions a second through the store: each one is two contents around a 10 KB blob, one register event, a receipt
 * in the sender's mailbox and a queue row, made durable before its caller goes on.
 *
 *   node build/test/bench/storage.bench.js [seconds] [callers...]
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { Rope } from '../../src/rope/index.js';
import { ChangeSet, openStore, type Store } from '../../src/storage/index.js';

const [seconds = '5', ...callers] = process.argv.slice(2);
const folder = mkdtempSync(join(process.env.CERALACCA_BENCH_DIR ?? tmpdir(), 'ceralacca-bench-'));
const store = await openStore({
  database: { engine: 'sqlite', file: join(folder, 'ceralacca.db') },
  blobs: { kind: 'file', folder: join(folder, 'blobs') },
});
await store.write('addDomain', { name: 'pec.alfa.example', now: 0 });
const mailbox = await store.write('addMailbox', {
  address: 'rossi@pec.alfa.example',
  passwordHash: 'x',
  holderId: null,
  quota: 1e12,
  kind: 'user',
  now: 0,
});

let made = 0;

async function submit(to: Store): Promise<void> {
  made += 1;
  const identificativo = `opec.${made}.${randomBytes(6).toString('hex')}@pec.alfa.example`;
  const original = to.blobs.small(randomBytes(10_240));
  const set = new ChangeSet((rope) => to.pack(rope));
  const envelope = await set.content(Rope.of(Buffer.alloc(1800, 65), original, Buffer.alloc(2400, 66)));
  const notice = await set.content(Rope.of(Buffer.alloc(5200, 67)));
  const now = Date.now();
  set.event({
    identificativo,
    at: now,
    event: 'accettazione',
    sender: 'rossi@pec.alfa.example',
    recipients: ['bianchi@pec.beta.example'],
    subject: 'Prova',
    related: [],
    gestore: 'Alfa PEC S.p.A.',
    detail: {},
  });
  set.deposit({
    mailboxId: mailbox.id,
    folder: 'INBOX',
    content: notice,
    size: 5200,
    internalDate: now,
    flags: [],
    withinQuota: false,
  });
  set.receipt({
    direction: 'issued',
    origin: 'Alfa PEC S.p.A.',
    identificativo,
    kind: 'accettazione',
    recipient: '',
    step: '',
    messageId: `<${identificativo}>`,
    content: notice,
    at: now,
  });
  set.enqueue({
    kind: 'envelope',
    identificativo,
    sender: 'anna@pec.alfa.example',
    subject: 'Prova',
    origin: 'Alfa PEC S.p.A.',
    content: envelope,
    size: 14_440,
    mailFrom: 'rossi@pec.alfa.example',
    recipient: 'bianchi@pec.beta.example',
    destination: 'pec.beta.example',
    eightBit: false,
    nextAttempt: now,
    giveUpAt: now + 86_400_000,
  });
  await to.write('commitSubmission', {
    ...set.changes(),
    outgoing: {
      identificativo,
      mailboxId: mailbox.id,
      sender: 'rossi@pec.alfa.example',
      msgid: '',
      subject: 'Prova',
      replyTo: 'rossi@pec.alfa.example',
      acceptedAt: now,
      content: envelope,
      recipients: [
        {
          recipient: 'bianchi@pec.beta.example',
          kind: 'certificato',
          gestore: 'Beta',
          firstNoticeAt: now + 43_200_000,
          secondNoticeAt: now + 82_800_000,
        },
      ],
    },
  });
}

async function measure(count: number): Promise<void> {
  const took: number[] = [];
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const until = performance.now() + Number(seconds) * 1000;
  const cpu = process.cpuUsage();
  const began = performance.now();
  delay.enable();
  await Promise.all(
    Array.from({ length: count }, async () => {
      for (let start = performance.now(); start < until; start = performance.now()) {
        await submit(store);
        took.push(performance.now() - start);
      }
    }),
  );
  delay.disable();
  const spent = process.cpuUsage(cpu);
  const elapsed = performance.now() - began;
  took.sort((a, b) => a - b);
  const at = (share: number): string => (took[Math.floor(took.length * share)] ?? 0).toFixed(1);
  console.log(
    `${String(count).padStart(4)} callers ${Math.round((took.length * 1000) / elapsed)} ops/s  p50/p99 ${at(0.5)}/${at(0.99)} ms` +
      `  cpu ${((spent.user + spent.system) / 1000 / took.length).toFixed(3)} ms/op  loop delay p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms`,
  );
}

try {
  for (const count of callers.length > 0 ? callers : ['1', '8', '64']) await measure(Number(count));
} finally {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
}
