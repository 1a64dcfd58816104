/** The thread that writes. It takes whatever waits as one batch, so a full disk queue costs one fsync, not hundreds. */
import { randomBytes } from 'node:crypto';
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { LatestTime } from '../../clock/index.js';
import { knownBlobs } from '../blobs/known.js';
import { removeBlobFile } from '../blobs/layout.js';
import { describeError } from '../errors.js';
import { writes } from '../operations/index.js';
import { SALT_BYTES } from '../register.js';
import { openWriting } from './connection.js';
import type { FromWriter, ToWriter, WriteReply, WriteRequest, WriterSettings } from './messages.js';
import { type Operations, Writer } from './writer.js';

/** Operations in one commit at most: more only makes the first ones wait. */
const BATCH = 128;
/** How often to look whether another process has committed. */
const ELSEWHERE_MS = 300;

const settings = workerData as WriterSettings;
const port = ownPort();

const latest = new LatestTime(settings.latest);

const waiting: WriteRequest[] = [];
const removals: Extract<ToWriter, { kind: 'remove-files' }>[] = [];
let closing = false;
let running = false;

function ownPort(): MessagePort {
  if (parentPort === null) throw new Error('this file is the writer thread: it is not started by itself');
  return parentPort;
}

const tell = (message: FromWriter): void => port.postMessage(message);

function take(message: ToWriter): void {
  if (message.kind === 'write') waiting.push(...message.requests);
  else if (message.kind === 'remove-files') removals.push(message);
  else closing = true;
}

function takeAll(): void {
  let next = receiveMessageOnPort(port);
  while (next !== undefined) {
    take(next.message as ToWriter);
    next = receiveMessageOnPort(port);
  }
}

async function run(writer: Writer): Promise<void> {
  if (running) return;
  running = true;
  takeAll();
  while (waiting.length > 0 || removals.length > 0) {
    if (waiting.length > 0) tell({ kind: 'replies', ...(await writer.commit(waiting.splice(0, BATCH))) });
    const removal = removals.shift();
    if (removal !== undefined) {
      tell({ kind: 'replies', replies: [await removed(writer, removal)], news: undefined });
    }
    takeAll();
  }
  running = false;
}

/**
 * Removes the files of blobs that have no row, while nobody can write one: whoever adopts the same bytes writes its
 * row first and looks for the file then, so it finds either the file or the need to put it there.
 */
async function removed(writer: Writer, { id, hashes }: (typeof removals)[number]): Promise<WriteReply> {
  try {
    const value = await writer.alone(async (connection) => {
      const known = new Set((await connection.all(knownBlobs, { hashes })).map((row) => row.hash));
      const orphans = hashes.filter((hash) => !known.has(hash));
      for (const hash of orphans) removeBlobFile(settings.blobFolder, hash);
      return orphans.length;
    });
    return { id, value };
  } catch (error) {
    return { id, error: describeError(error) };
  }
}

async function ownOperations(): Promise<Operations> {
  if (settings.operations === undefined) return writes;
  return ((await import(settings.operations)) as { writes: Operations }).writes;
}

try {
  const writer = new Writer({
    open: () => openWriting(settings.file),
    operations: await ownOperations(),
    now: () => latest.bound(Date.now()),
    salt: () => randomBytes(SALT_BYTES),
  });
  const watch = setInterval(() => {
    if (!running && writer.changedElsewhere()) tell({ kind: 'elsewhere' });
  }, ELSEWHERE_MS);
  port.on('message', (message: ToWriter) => {
    take(message);
    void run(writer).then(() => {
      if (!closing) return;
      clearInterval(watch);
      writer.close();
      port.close();
    });
  });
  tell({ kind: 'ready' });
} catch (error) {
  tell({ kind: 'unable', error: describeError(error) });
  port.close();
}
