import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type FailedRow,
  openRelay,
  type Relay,
  type RelayOptions,
  storeQueue,
} from '../../src/relay/index.js';
import { Rope } from '../../src/rope/index.js';
import { defaultTimeouts } from '../../src/smtp/index.js';
import { ChangeSet, type NewQueueRow, openStore, type Store } from '../../src/storage/index.js';
import { type SilentTelemetry, silentTelemetry } from '../../src/telemetry/index.js';
import { FakePeer, type Manners } from '../smtp/fake-peer.js';

export interface House {
  readonly store: Store;
  readonly telemetry: SilentTelemetry;
  /** What the failure notices were asked for. */
  readonly failed: FailedRow[];
  /** What our own incoming point took. */
  readonly received: { readonly recipients: readonly string[]; readonly text: string }[];
  peer(manners?: Manners): Promise<{ peer: FakePeer; port: number }>;
  enqueue(
    row: Partial<NewQueueRow> & { readonly recipients: readonly string[]; readonly text?: string },
  ): Promise<void>;
  relay(options?: Partial<RelayOptions>): Promise<Relay>;
  /** Rows left in the queue once no lane runs. */
  rows(): Promise<{ recipient: string; state: string; attempts: number; lastError: string }[]>;
  /** `event recipients answer` of what the register holds. */
  register(): Promise<string[]>;
  close(): Promise<void>;
}

/** Waits, for as long as the test runs, until something holds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(5);
}

/** A real store, fake peers, and the rest of the gestore as small as can be. */
export async function openHouse(): Promise<House> {
  const folder = await mkdtemp(join(tmpdir(), 'ceralacca-relay-'));
  const store = await openStore({
    database: { engine: 'sqlite', file: join(folder, 'ceralacca.db') },
    blobs: { kind: 'file', folder: join(folder, 'blobs') },
  });
  const telemetry = silentTelemetry();
  const failed: FailedRow[] = [];
  const received: House['received'] = [];
  const peers: FakePeer[] = [];
  const relays: Relay[] = [];
  let contents = 0;
  const options = (): Omit<RelayOptions, 'queue'> => ({
    local: {
      isOwnDomain: (domain) => domain === 'pec.alfa.example',
      domains: async () => ['pec.alfa.example'],
      receive: async ({ recipients, message }) => {
        received.push({ recipients, text: (await message.bytes()).toString() });
      },
    },
    notices: async (rows, changes) => {
      failed.push(...rows);
      for (const { row, failure } of rows) {
        changes.event({
          identificativo: row.identificativo,
          at: 0,
          event: 'errore-consegna',
          sender: '',
          recipients: [row.recipient],
          subject: '',
          related: [],
          gestore: '',
          detail: { risposta: failure.text },
        });
      }
      return [];
    },
    telemetry,
    clock: Date.now,
    random: () => 0.5,
    owner: 'nodo',
    backoff: { first: 30, max: 200 },
    routing: {
      routes: {},
      smartHost: null,
      hostname: 'mail.alfa.example',
      dns: {
        mx: async (domain) => {
          throw Object.assign(new Error(domain), { code: 'ENOTFOUND' });
        },
        addresses: async () => ['127.0.0.1'],
      },
      random: () => 0.5,
    },
    tls: { required: false, ca: [] },
    timeouts: { ...defaultTimeouts, command: 500, dataTermination: 500 },
  });
  return {
    store,
    telemetry,
    failed,
    received,
    async peer(manners) {
      const peer = new FakePeer(manners);
      peers.push(peer);
      return { peer, port: await peer.listen() };
    },
    async enqueue({ recipients, text = `Subject: ${++contents}\r\n\r\nciao\r\n`, ...row }) {
      const changes = new ChangeSet((rope) => store.pack(rope));
      const content = await changes.content(Rope.of(text));
      for (const recipient of recipients) {
        changes.enqueue({
          kind: 'envelope',
          identificativo: `id-${contents}@pec.alfa.example`,
          sender: 'anna@pec.alfa.example',
          subject: `Oggetto ${contents}`,
          origin: 'Alfa PEC S.p.A.',
          content,
          size: text.length,
          mailFrom: 'anna@pec.alfa.example',
          recipient,
          destination: recipient.slice(recipient.indexOf('@') + 1).toLowerCase(),
          eightBit: false,
          nextAttempt: Date.now(),
          giveUpAt: Date.now() + 86_400_000,
          ...row,
        });
      }
      await store.write('settle', { ...changes.changes(), rows: [], facts: [] });
    },
    async relay(more = {}) {
      const relay = await openRelay({ queue: storeQueue(store), ...options(), ...more });
      relays.push(relay);
      return relay;
    },
    async rows() {
      const rows = await store.read('listQueue', {});
      return rows.map(({ recipient, state, attempts, lastError }) => ({
        recipient,
        state,
        attempts,
        lastError,
      }));
    },
    async register() {
      const rows = await store.read('searchRegister', { limit: 100 });
      return rows.map(
        ({ event, recipients, detail }) => `${event} ${recipients.join(',')} ${detail.risposta}`,
      );
    },
    async close() {
      for (const relay of relays) await relay.stop(100);
      for (const peer of peers) await peer.close();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Routes of the domains to ports of loopback, over the house's own routing. */
export function routed(ports: Readonly<Record<string, number>>): RelayOptions['routing'] {
  const routes = Object.fromEntries(
    Object.entries(ports).map(([domain, port]) => [domain, { host: '127.0.0.1', port }]),
  );
  return {
    routes,
    smartHost: null,
    hostname: 'mail.alfa.example',
    dns: {
      mx: async (domain) => {
        throw Object.assign(new Error(domain), { code: 'ENOTFOUND' });
      },
      addresses: async () => [],
    },
    random: () => 0.5,
  };
}
