/**
 * Gestori inside this process: real stores, keys and points, with a clock of the test's own and no sockets. What one
 * queues is carried to the other by `Network.pump`, through the real relay's transfer and the real sessions' handlers.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type Antivirus, AntivirusUnavailable, openAntivirus } from '../../src/antivirus/index.js';
import { Directory } from '../../src/directory/index.js';
import {
  CrlStore,
  type GuardedSigner,
  guardSigner,
  type RevocationSource,
  verifySignature,
} from '../../src/smime/index.js';
import { cleanSpool, type Peer, type Spooled, spool } from '../../src/smtp/index.js';
import {
  type Mailbox,
  type MailboxState,
  openStore,
  type QueueRow,
  type RegisterRow,
  type Store,
} from '../../src/storage/index.js';
import { silentTelemetry } from '../../src/telemetry/index.js';
import { type Letter, letter } from '../e2e/letters.js';
import { type Held, headerOf } from './inbox.js';
import type { TestGestore } from './pki.js';
import {
  DAY,
  HOUR,
  MIB,
  serviceMailboxOf,
  uncharged,
  type Wiring,
  type WiringRequest,
  wire,
} from './wiring.js';

export { DAY, HOUR, MIB };

/** The one clock of a test; epoch milliseconds, a whole second at the start. */
export class Clock {
  now = Math.floor(Date.now() / 1000) * 1000;

  readonly read = (): number => this.now;

  advance(ms: number): void {
    this.now += ms;
  }
}

/** What a test can break. */
export interface Switches {
  antivirusDown: boolean;
  /** Its signatures are old: it finds nothing. */
  antivirusBlind: boolean;
  signerDown: boolean;
  /** Signatures never come; those asked for come when it is over. */
  signerHangs: Promise<void> | undefined;
  /** Called before each write operation reaches the store: it may act meanwhile, or throw in the store's place. */
  beforeWrite: ((name: string) => Promise<void> | void) | undefined;
  beforeRead: ((name: string) => Promise<void> | void) | undefined;
  /** Called before a content is opened: it may throw. */
  beforeOpen: ((contentId: number) => void) | undefined;
}

/** Figures a test may want smaller. */
export interface PointRequest {
  readonly limits?: {
    readonly recipients?: number;
    readonly sizeTimesRecipients?: number;
    readonly messageSize?: number;
  };
  readonly receiptsReserve?: number;
  readonly ordinaryMail?: 'reject' | 'anomaly';
  /** As in WiringRequest. */
  readonly questions?: WiringRequest['questions'];
  readonly crls?: RevocationSource;
  /** More domains of ours beside the mail domain. */
  readonly domains?: readonly string[];
}

/** A letter and how it is handed in. */
export interface Sending extends Letter {
  /** RCPT TO; To and Cc where not given. */
  readonly recipients?: readonly string[];
  /** MAIL FROM; `from` where not given. */
  readonly mailFrom?: string;
  /** The whole message, in place of one made from the rest. Latin-1. */
  readonly raw?: string | Buffer;
  /** Who is logged in; the mailbox of `from` where not given. */
  readonly user?: string;
}

/** A message in a mailbox. */
export interface Stored extends Held {
  readonly flags: readonly string[];
}

const QUOTA = 1024 * MIB;
/** Milliseconds a signature may take: no test waits for one that hangs longer than this. */
const SIGNING = 5_000;

/** One gestore. */
export class Point {
  readonly telemetry = silentTelemetry();
  readonly switches: Switches = {
    antivirusDown: false,
    antivirusBlind: false,
    signerDown: false,
    signerHangs: undefined,
    beforeWrite: undefined,
    beforeRead: undefined,
    beforeOpen: undefined,
  };
  readonly hostname: string;
  readonly serviceMailbox: string;
  readonly accounts: Wiring['accounts'];
  readonly quarantine: Wiring['quarantine'];
  readonly signer: GuardedSigner;
  readonly issuer: Wiring['issuer'];
  readonly accessPoint: Wiring['accessPoint'];
  readonly incomingPoint: Wiring['incomingPoint'];
  readonly submission: Wiring['submission'];
  readonly mx: Wiring['mx'];

  private constructor(
    readonly gestore: TestGestore,
    readonly folder: string,
    readonly clock: Clock,
    /** As the points see it, switches included. */
    readonly store: Store,
    readonly directory: Directory,
    request: PointRequest,
  ) {
    const { name, mailDomain } = gestore;
    const key = {
      ...gestore.signer,
      sign: async (attributes: Buffer) => {
        if (this.switches.signerDown) throw new Error('the key is away');
        await this.switches.signerHangs;
        return gestore.signer.sign(attributes);
      },
    };
    this.signer = guardSigner(key, this.telemetry, SIGNING);
    const crls = request.crls ?? new CrlStore({ followPointers: false, now: clock.read });
    const wired = wire({
      name,
      mailDomain,
      signer: this.signer,
      store,
      directory,
      antivirus: switchable(this.switches),
      spool: join(folder, 'spool'),
      telemetry: this.telemetry,
      clock: clock.read,
      verify: (signed, from, at) => verifySignature({ signed, from, trust: directory.trust(), crls, at }),
      limits: request.limits,
      receiptsReserve: request.receiptsReserve,
      ordinaryMail: request.ordinaryMail,
      questions: request.questions,
    });
    this.hostname = wired.hostname;
    this.serviceMailbox = wired.serviceMailbox;
    this.accounts = wired.accounts;
    this.quarantine = wired.quarantine;
    this.issuer = wired.issuer;
    this.accessPoint = wired.accessPoint;
    this.incomingPoint = wired.incomingPoint;
    this.submission = wired.submission;
    this.mx = wired.mx;
  }

  /** Makes one with its service mailbox and no other. */
  static async open(
    gestore: TestGestore,
    trust: string,
    clock: Clock,
    request: PointRequest = {},
  ): Promise<Point> {
    const folder = await mkdtemp(join(tmpdir(), 'ceralacca-points-'));
    const real = await openStore({
      database: { engine: 'sqlite', file: join(folder, 'ceralacca.db') },
      blobs: { kind: 'file', folder: join(folder, 'blobs') },
      now: clock.read,
    });
    await cleanSpool(join(folder, 'spool'));
    for (const name of [gestore.mailDomain, ...(request.domains ?? [])]) {
      await real.write('addDomain', { name, now: clock.now });
    }
    let point: Point | undefined;
    const store = hooked(real, () => point?.switches);
    const directory = await Directory.open({
      store,
      own: {
        providerName: gestore.name,
        mailReceipt: serviceMailboxOf(gestore.mailDomain),
        mailDomain: gestore.mailDomain,
        certificate: gestore.certificate,
        trust: [trust],
      },
      sources: [],
      snapshots: join(folder, 'directory'),
      telemetry: silentTelemetry(),
      clock: clock.read,
    });
    point = new Point(gestore, folder, clock, store, directory, request);
    await point.addMailbox(point.serviceMailbox, { kind: 'service' });
    return point;
  }

  get name(): string {
    return this.gestore.name;
  }

  get mailDomain(): string {
    return this.gestore.mailDomain;
  }

  get database(): string {
    return join(this.folder, 'ceralacca.db');
  }

  /** An address of the mail domain. */
  address(local: string): string {
    return `${local}@${this.mailDomain}`;
  }

  /** Adds a mailbox nobody can log in to: a password would cost more than all the rest. */
  async addMailbox(
    address: string,
    options: { readonly quota?: number; readonly kind?: Mailbox['kind']; readonly state?: MailboxState } = {},
  ): Promise<Mailbox> {
    const { quota = QUOTA, kind = 'user', state } = options;
    const now = this.clock.now;
    const made = await this.store.write('addMailbox', {
      address,
      passwordHash: '',
      holderId: null,
      quota,
      kind,
      now,
    });
    return state === undefined ? made : this.setMailbox(address, { state });
  }

  setMailbox(address: string, change: { readonly state?: MailboxState; readonly quota?: number }) {
    return this.store.write('setMailbox', { address, ...change });
  }

  async mailbox(address: string): Promise<Mailbox> {
    const mailbox = await this.accounts.find(address);
    if (mailbox === undefined) throw new Error(`${this.name} has no mailbox ${address}`);
    return mailbox;
  }

  /**
   * One submission through the session's handlers, the user logged in as the mailbox of `from`.
   * @returns the identificativo
   * @throws SmtpError
   */
  async submit(sending: Sending): Promise<string> {
    const { from, mailFrom = from, to = [], cc = [], raw } = sending;
    const user = await this.mailbox(sending.user ?? from);
    const peer = { ...this.peer('192.0.2.7', 'ESMTPSA'), user };
    await this.submission.mailFrom(mailFrom, peer);
    const recipients: string[] = [];
    for (const recipient of sending.recipients ?? [...to, ...cc]) {
      await this.submission.rcptTo(recipient, { mailFrom, recipients }, peer);
      recipients.push(recipient);
    }
    const bytes = typeof raw === 'string' ? Buffer.from(raw, 'latin1') : (raw ?? letter(sending));
    return this.spooled(bytes, (message) =>
      this.submission.data(
        message,
        { mailFrom, recipients, eightBit: false, smtpUtf8: false },
        peer,
        uncharged,
      ),
    );
  }

  /** One message brought to port 25. @throws SmtpError and whatever else the session would answer 451 */
  async receive(arrival: {
    readonly mailFrom: string;
    readonly recipients: readonly string[];
    readonly message: Uint8Array;
    readonly secure?: boolean;
    readonly peer?: string;
  }): Promise<void> {
    const { mailFrom, recipients, secure = true, peer: address = '198.51.100.9' } = arrival;
    const { tls, ...clear } = this.peer(address, secure ? 'ESMTPS' : 'ESMTP');
    const peer: Peer<never> = secure ? { ...clear, tls } : clear;
    await this.mx.mailFrom(mailFrom, peer);
    for (const recipient of recipients) await this.mx.rcptTo(recipient, { mailFrom, recipients: [] }, peer);
    await this.spooled(arrival.message, (message) =>
      this.mx.data(
        message,
        { mailFrom, recipients, eightBit: message.eightBit, smtpUtf8: false },
        peer,
        uncharged,
      ),
    );
  }

  /** What is in a mailbox's folder, oldest first. */
  async inbox(address: string, folder = 'INBOX'): Promise<Stored[]> {
    const { id } = await this.mailbox(address);
    const rows = await this.store.read('listMessages', { mailboxId: id, folder });
    return Promise.all(
      rows.map(async ({ contentId, uid, flags }) => {
        const bytes = await (await this.store.open(contentId)).bytes(256 * MIB);
        return { ...this.asStored(bytes), uid: String(uid), flags };
      }),
    );
  }

  /** Bytes as if they lay in a mailbox. */
  asStored(bytes: Buffer): Stored {
    return { uid: '', bytes, header: headerOf(bytes), flags: [] };
  }

  /** The register, oldest entry first; of one message only, if asked. */
  async events(identificativo?: string): Promise<RegisterRow[]> {
    return this.store.read('searchRegister', { identificativo, limit: 10_000 });
  }

  queue(): Promise<QueueRow[]> {
    return this.store.read('listQueue', {});
  }

  /** Names of the alarms so far. */
  alarms(): string[] {
    return this.telemetry.recorded.flatMap((event) => (event.name === 'alarm' ? [event.fields.name] : []));
  }

  async close(): Promise<void> {
    await this.store.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  private peer(remoteAddress: string, protocol: string): Peer<never> {
    return {
      id: 'SESSIONE',
      remoteAddress,
      remotePort: 40_000,
      localPort: 25,
      helo: 'client.example',
      protocol,
      tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
    };
  }

  private async spooled<T>(bytes: Uint8Array, use: (message: Spooled) => Promise<T>): Promise<T> {
    const message = await spool(Readable.from([Buffer.from(bytes)]), {
      dir: join(this.folder, 'spool'),
      limit: 200 * MIB,
    });
    try {
      if (message.fault !== undefined)
        throw new Error(`the test's message is not canonical: ${message.fault}`);
      return await use(message);
    } finally {
      await message.discard();
    }
  }
}

function switchable(switches: Switches): Antivirus {
  const eicar = openAntivirus({ kind: 'builtin' });
  return {
    name: eicar.name,
    ping: async () => !switches.antivirusDown,
    async scan(message) {
      if (switches.antivirusDown) throw new AntivirusUnavailable('no scanner');
      return switches.antivirusBlind ? { virus: null, engine: 'blind' } : eicar.scan(message);
    },
  };
}

function hooked(store: Store, switches: () => Switches | undefined): Store {
  const write: Store['write'] = (name, input) =>
    before(switches()?.beforeWrite, name).then(() => store.write(name, input));
  const read: Store['read'] = (name, input) =>
    before(switches()?.beforeRead, name).then(() => store.read(name, input));
  const open: Store['open'] = async (id) => {
    switches()?.beforeOpen?.(id);
    return store.open(id);
  };
  return new Proxy(store, {
    get(target, key) {
      if (key === 'open') return open;
      if (key === 'write') return write;
      if (key === 'read') return read;
      const member: unknown = Reflect.get(target, key, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

const before = async (hook: Switches['beforeWrite'], name: string): Promise<void> => hook?.(name);
