import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import {
  SMTPServer,
  type SMTPServerAddress,
  type SMTPServerAuthentication,
  type SMTPServerDataStream,
  type SMTPServerSession,
} from 'smtp-server';
import { Connections, type Protocol, type Transfer, Transfers } from '../limits/index.js';
import { StoreUnavailable } from '../storage/index.js';
import { type KeyPair, serverTls } from '../tls/index.js';
import { Door } from './door.js';
import { replyFor, type SmtpError } from './errors.js';
import { refusals, storeRefusal } from './refusals.js';
import { type Pace, Session, type SessionRules } from './session.js';
import { type Spooled, SpoolFailure, spool } from './spool.js';

/** implicit: TLS from the first octet (465). required: STARTTLS before AUTH (587). offered: STARTTLS if the client likes (25). */
export type TlsMode = 'implicit' | 'required' | 'offered';

/** Who is at the other end. */
export interface Peer<User> {
  /** Of the connection, for the log. */
  readonly id: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  /** The EHLO argument as the client gave it, lower case. */
  readonly helo: string;
  /** ESMTP, ESMTPS, ESMTPSA... (RFC 3848). */
  readonly protocol: string;
  readonly tls?: { readonly version: string; readonly cipher: string } | undefined;
  /** What `authenticate` answered. */
  readonly user?: User | undefined;
}

export interface Envelope {
  /** Empty for the null reverse path. */
  readonly mailFrom: string;
  /** As written, each once (compared without case). */
  readonly recipients: readonly string[];
  readonly eightBit: boolean;
  readonly smtpUtf8: boolean;
}

export interface Login {
  readonly method: 'PLAIN' | 'LOGIN';
  readonly username: string;
  readonly password: string;
  readonly remoteAddress: string;
}

/** What a message was charged with before its DATA. */
export interface MessageCharge {
  /** The message is not to count after all; does nothing the second time. */
  giveBack(): void;
}

/** What a listener does with mail. Each throws SmtpError to refuse; anything else is `451 4.3.0`. */
export interface SmtpHandlers<User> {
  /** Present: AUTH is offered and required. Answers who it is, or undefined for wrong credentials. */
  authenticate?(login: Login): Promise<User | undefined>;
  mailFrom(address: string, peer: Peer<User>): Promise<void>;
  rcptTo(
    address: string,
    envelope: Pick<Envelope, 'mailFrom' | 'recipients'>,
    peer: Peer<User>,
  ): Promise<void>;
  /** Asked before 354 whether there may be a message now; what it answers goes to `data`. */
  begin?(envelope: Envelope, peer: Peer<User>): MessageCharge;
  /**
   * A whole message, canonical and within the size. The answer is the text after `250 2.0.0`; it is sent when the promise
   * resolves, so it must resolve after the commit. The spooled bytes are discarded then: `keep` what must stay.
   */
  data(message: Spooled, envelope: Envelope, peer: Peer<User>, charge: MessageCharge): Promise<string>;
}

/** Milliseconds. */
export interface ServerTimeouts {
  /** For a whole command (RFC 5321 4.5.3.2.7). */
  readonly socket: number;
  /** For a TLS handshake. */
  readonly handshake: number;
  /** For a whole DATA. */
  readonly data: number;
  /** The slowest a message may come. */
  readonly pace: Pace;
  /** For a connection on which no message is handed in. */
  readonly session: number;
  /** Of grace when the listener closes. */
  readonly close: number;
}

/** Whether there is room for more mail. Each throws SmtpError, a temporary one, when there is not. */
export interface IntakeGate {
  /** Asked at MAIL, before anything is taken. @param octets what the client announced, 0 when it did not */
  admit(octets: number): void;
  /** Asked before so many octets of a running transaction go to the disk. */
  grow(octets: number): void;
}

export interface SmtpServerOptions<User> {
  /** In the greeting and in EHLO. */
  readonly hostname: string;
  readonly tls: KeyPair;
  readonly mode: TlsMode;
  readonly spoolDir: string;
  /** Octets: SIZE, and 552 past it. */
  readonly size: number;
  /** RCPT past it: 452. */
  readonly recipients: number;
  readonly smtpUtf8: boolean;
  /** AUTH without TLS too (`testing`). */
  readonly insecureAuth?: boolean | undefined;
  /** What connections are counted as; `mx` if not given. */
  readonly protocol?: Protocol | undefined;
  /** Shared by all listeners; if not given there is no limit. */
  readonly connections?: Pick<Connections, 'enter'> | undefined;
  /** Shared by all listeners; if not given there is no limit. */
  readonly transfers?: Pick<Transfers, 'begin'> | undefined;
  readonly session?: Partial<SessionBounds> | undefined;
  readonly timeouts?: Partial<ServerTimeouts> | undefined;
  readonly handlers: SmtpHandlers<User>;
  /** None: there is always room. */
  readonly intake?: IntakeGate | undefined;
  /** Told of every refusal and of every error that was answered 451. */
  report?(error: unknown, peer: Peer<User>): void;
}

/** After which a client is sent away with 421; Infinity for no limit. */
export interface SessionBounds {
  /** Commands refused. */
  readonly errors: number;
  /** Logins that failed or had to wait. */
  readonly logins: number;
  /** NOOP, RSET, EHLO and the like between two messages. */
  readonly idleCommands: number;
}

export interface SmtpServer {
  listen(port: number, address: string): Promise<AddressInfo>;
  /** New certificate for the connections to come. */
  reload(tls: KeyPair): void;
  /** Stops listening, lets running transactions end, sends the others away with 421. */
  close(): Promise<void>;
  readonly connections: number;
}

const MINUTE = 60_000;
const defaultBounds: SessionBounds = { errors: 100, logins: 5, idleCommands: 100 };
/**
 * The pace is that of no line anybody has (182 octets a second, where RFC 5321 4.5.3.2.5 waits 3 minutes for each block); 110 MB
 * over 256 kbit/s take 59 minutes.
 */
const defaultTimeouts: ServerTimeouts = {
  socket: 5 * MINUTE,
  handshake: MINUTE / 2,
  data: 75 * MINUTE,
  pace: { octets: 32 * 1024, milliseconds: 3 * MINUTE },
  session: 60 * MINUTE,
  close: MINUTE / 2,
};
const UNSERVED = ['XCLIENT', 'XFORWARD', 'VRFY', 'HELP', 'WIZ', 'SHELL', 'KILL'];
/** RFC 4954 4: a line of AUTH may have 12288 octets. */
const MAX_COMMAND = 12_288;
// The DSN parameters are taken and ignored: receipts say what a DSN would.
const MAIL_PARAMETERS = new Set(['SIZE', 'BODY', 'SMTPUTF8', 'AUTH', 'RET', 'ENVID']);
const RCPT_PARAMETERS = new Set(['NOTIFY', 'ORCPT']);

/** A listener for submission or for incoming mail, over smtp-server. Nothing is bound before `listen`. */
export function createSmtpServer<User>(options: SmtpServerOptions<User>): SmtpServer {
  return new Listener(options);
}

/** The negotiated version; the library keeps the cipher only. */
const tlsVersions = new WeakMap<SMTPServerSession, string>();

/** A message about to come. */
interface Begun {
  readonly transfer: Transfer;
  readonly charge: MessageCharge;
}

const uncharged: MessageCharge = { giveBack: () => undefined };

type Callback = (error?: Error | null, message?: string) => void;

class Listener<User> implements SmtpServer {
  readonly #options: SmtpServerOptions<User>;
  readonly #server: SMTPServer;
  readonly #timeouts: ServerTimeouts;
  readonly #transfers: Pick<Transfers, 'begin'>;
  /** Between 354 and the library's call for the message, in the same turn of the loop. */
  readonly #begun = new WeakMap<SMTPServerSession, Begun>();

  constructor(options: SmtpServerOptions<User>) {
    this.#options = options;
    this.#timeouts = { ...defaultTimeouts, ...options.timeouts };
    this.#transfers = options.transfers ?? new Transfers();
    const rules = this.#rules();
    this.#server = new SMTPServer({ ...this.#libraryOptions(), ...this.#libraryHandlers() });
    const door = new Door(this.#server, {
      connections: options.connections ?? new Connections(),
      protocol: options.protocol ?? 'mx',
    });
    this.#server.connect = (socket, socketOptions) => {
      const passed = door.pass(socket);
      // Gone already: there will be no event to end its session.
      if (socket.destroyed) {
        passed.leave();
        return;
      }
      const session = new Session(this.#server, socket, socketOptions ?? undefined, rules, passed);
      this.#server.connections.add(session);
      session.on('error', () => undefined);
      session.init();
    };
    const upgrade = this.#server._upgrade.bind(this.#server);
    this.#server._upgrade = (socket, callback) => {
      // The library upgrades one turn of the loop after the client came. By then the socket may be gone, as when the
      // listener closes, and a TLS socket around nothing brings Node 20 down.
      if (socket.destroyed) {
        callback(new Error('connection closed before TLS'));
        return;
      }
      // The library's own bound begins anew with every octet. What is destroyed is the TLS socket on top, as it does.
      const late = setTimeout(
        () => this.#server._pendingSockets.get(socket)?.destroy(),
        this.#timeouts.handshake,
      );
      late.unref();
      upgrade(socket, (error, secured) => {
        clearTimeout(late);
        callback(error, secured);
      });
    };
    // Failed handshakes and broken sockets: their connection is gone, the listener stands.
    this.#server.on('error', () => undefined);
  }

  get connections(): number {
    return this.#server.connections.size;
  }

  listen(port: number, address: string): Promise<AddressInfo> {
    const { server } = this.#server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, host: address }, () => {
        server.off('error', reject);
        resolve(server.address() as AddressInfo);
      });
    });
  }

  reload(tls: KeyPair): void {
    this.#server.updateSecureContext(serverTls(tls));
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const connection of [...this.#server.connections]) {
        if (connection instanceof Session && !connection.busy) connection.send(421, 'Server shutting down');
      }
    });
  }

  #libraryOptions() {
    const { hostname, mode, tls, size, recipients, handlers, insecureAuth, smtpUtf8 } = this.#options;
    return {
      name: hostname,
      banner: 'Ceralacca',
      heloResponse: '%s',
      secure: mode === 'implicit',
      ...serverTls(tls),
      logger: false as const,
      size,
      maxRecipients: recipients,
      hideENHANCEDSTATUSCODES: false,
      hideSMTPUTF8: !smtpUtf8,
      disableReverseLookup: true,
      authMethods: ['PLAIN', 'LOGIN'],
      authOptional: handlers.authenticate === undefined,
      allowInsecureAuth: insecureAuth ?? false,
      disabledCommands: handlers.authenticate === undefined ? [...UNSERVED, 'AUTH'] : UNSERVED,
      maxAllowedUnauthenticatedCommands: 20,
      maxCommandLength: MAX_COMMAND,
      socketTimeout: this.#timeouts.socket,
      closeTimeout: this.#timeouts.close,
    };
  }

  #libraryHandlers() {
    return {
      // The library's own answer comes one turn of the loop later: for that long the client would talk too soon.
      onConnect: (_session: SMTPServerSession, callback: Callback) => callback(),
      onSecure: (socket: Socket, session: SMTPServerSession, callback: Callback) => {
        const version = socket instanceof TLSSocket ? socket.getProtocol() : null;
        if (version !== null) tlsVersions.set(session, version);
        callback();
      },
      onAuth: (
        auth: SMTPServerAuthentication,
        session: SMTPServerSession,
        callback: (error: Error | null | undefined, response?: { user?: unknown }) => void,
      ) => {
        this.#login(auth, session).then(
          (user) => callback(null, { user: { identity: user } }),
          (error: unknown) => callback(this.#refusal(error, session)),
        );
      },
      onMailFrom: (address: SMTPServerAddress, session: SMTPServerSession, callback: Callback) =>
        this.#answer(session, callback, () => this.#mailFrom(address, session)),
      onRcptTo: (address: SMTPServerAddress, session: SMTPServerSession, callback: Callback) =>
        this.#answer(session, callback, () => this.#rcptTo(address, session)),
      onData: (stream: SMTPServerDataStream, session: SMTPServerSession, callback: Callback) =>
        this.#answer(session, callback, () => this.#data(stream, session)),
    };
  }

  /** Runs a handler and hands its answer, or its refusal, to the library. */
  #answer(session: SMTPServerSession, callback: Callback, run: () => Promise<string | undefined>): void {
    run().then(
      (text) => callback(null, text),
      (error: unknown) => callback(this.#refusal(error, session)),
    );
  }

  #refusal(error: unknown, session: SMTPServerSession): Error {
    this.#options.report?.(error, peerOf<User>(session));
    const reply = replyFor(error instanceof StoreUnavailable ? storeRefusal(error) : error);
    return Object.assign(new Error(reply.text), { responseCode: reply.code });
  }

  #rules(): SessionRules {
    const { session, recipients, insecureAuth } = this.#options;
    const { errors, logins, idleCommands } = { ...defaultBounds, ...session };
    return {
      dataTimeout: this.#timeouts.data,
      commandTimeout: this.#timeouts.socket,
      sessionTimeout: this.#timeouts.session,
      handshakeTimeout: this.#timeouts.handshake,
      pace: this.#timeouts.pace,
      maxErrors: errors,
      maxLogins: logins,
      maxIdleCommands: idleCommands,
      recipients,
      insecureAuth: insecureAuth ?? false,
      begin: (one) => this.#begin(one),
    };
  }

  /** Room for a message, before the client sends it. @throws SmtpError */
  #begin(session: SMTPServerSession): void {
    const transfer = this.#transfers.begin(session.remoteAddress);
    try {
      if (transfer === undefined) throw refusals.tooManyTransfers();
      const peer = peerOf<User>(session);
      const charge = this.#options.handlers.begin?.(envelopeOf(session), peer) ?? uncharged;
      this.#begun.set(session, { transfer, charge });
    } catch (error) {
      transfer?.end();
      this.#options.report?.(error, peerOf<User>(session));
      throw error;
    }
  }

  async #login(auth: SMTPServerAuthentication, session: SMTPServerSession): Promise<User> {
    const { username, password, authzid, authcid } = auth;
    const method = auth.method === 'LOGIN' ? 'LOGIN' : 'PLAIN';
    if (username === undefined || typeof password !== 'string') throw refusals.badCredentials();
    // RFC 4616: nobody acts for another here.
    if (authzid && authcid && authzid !== authcid) throw refusals.badCredentials();
    const login = { method, username, password, remoteAddress: session.remoteAddress } as const;
    const user = await this.#options.handlers.authenticate?.(login);
    if (user === undefined) throw refusals.badCredentials();
    return user;
  }

  async #mailFrom(path: SMTPServerAddress, session: SMTPServerSession): Promise<undefined> {
    const { handlers, mode, insecureAuth, smtpUtf8 } = this.#options;
    if (handlers.authenticate !== undefined) {
      if (mode === 'required' && !session.secure && insecureAuth !== true) throw refusals.tlsRequired();
      if (!session.user) throw refusals.authenticationRequired();
    }
    this.#checkParameters(path, MAIL_PARAMETERS);
    if (session.envelope.smtpUtf8 === true && !smtpUtf8) throw refusals.unknownParameter('SMTPUTF8');
    this.#checkCharacters(path.address, session);
    // A client that is told now keeps its message; told after DATA it would have sent it for nothing.
    this.#options.intake?.admit(announcedSize(path));
    await handlers.mailFrom(path.address, peerOf(session));
  }

  async #rcptTo(path: SMTPServerAddress, session: SMTPServerSession): Promise<undefined> {
    this.#checkParameters(path, RCPT_PARAMETERS);
    this.#checkCharacters(path.address, session);
    await this.#options.handlers.rcptTo(path.address, envelopeOf(session), peerOf(session));
  }

  async #data(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<string> {
    const { handlers, spoolDir, size, intake } = this.#options;
    // The library makes a new envelope for the next transaction; this one is ours.
    const envelope = envelopeOf(session);
    const { transfer, charge } = this.#begun.get(session) ?? { transfer: undefined, charge: uncharged };
    const room = (octets: number): void => {
      intake?.grow(octets);
      if (transfer?.grow(octets) === false) throw refusals.tooManyTransfers();
    };
    try {
      const message = await spool(stream, { dir: spoolDir, limit: size, room }).catch((error: unknown) => {
        throw error instanceof SpoolFailure && error.full ? refusals.storageFull(error) : error;
      });
      try {
        if (message.fault !== undefined) throw faultRefusal(message.fault, size);
        return `2.0.0 ${await handlers.data(message, envelope, peerOf(session), charge)}`;
      } finally {
        await message.discard();
      }
    } finally {
      transfer?.end();
    }
  }

  #checkParameters(path: SMTPServerAddress, known: ReadonlySet<string>): void {
    const unknown = Object.keys(path.args || {}).find((name) => !known.has(name));
    if (unknown !== undefined) throw refusals.unknownParameter(unknown);
  }

  #checkCharacters(address: string, session: SMTPServerSession): void {
    if (/[^\x00-\x7f]/.test(address) && session.envelope.smtpUtf8 !== true) throw refusals.needsSmtpUtf8();
  }
}

function faultRefusal(fault: NonNullable<Spooled['fault']>, size: number): SmtpError {
  if (fault === 'too-large') return refusals.tooLarge(size);
  if (fault === 'bare-cr') return refusals.bareCr();
  return fault === 'bare-lf' ? refusals.bareLf() : refusals.nul();
}

/** Of the SIZE parameter; the library has refused what is no number, or too large. */
function announcedSize({ args }: SMTPServerAddress): number {
  const size = Number(args ? args.SIZE : 0);
  return Number.isSafeInteger(size) && size > 0 ? size : 0;
}

function envelopeOf(session: SMTPServerSession): Envelope {
  const { mailFrom, rcptTo, bodyType, smtpUtf8 } = session.envelope;
  return {
    mailFrom: mailFrom === false ? '' : mailFrom.address,
    recipients: rcptTo.map(({ address }) => address),
    eightBit: bodyType === '8bitmime',
    smtpUtf8: smtpUtf8 === true,
  };
}

function peerOf<User>(session: SMTPServerSession): Peer<User> {
  const { tlsOptions } = session;
  return {
    id: session.id,
    remoteAddress: session.remoteAddress,
    remotePort: session.remotePort,
    localPort: session.localPort,
    helo: session.hostNameAppearsAs || '',
    protocol: session.transmissionType,
    tls: tlsOptions
      ? { version: tlsVersions.get(session) ?? '', cipher: tlsOptions.standardName }
      : undefined,
    user: session.user === undefined || session.user === false ? undefined : (session.user.identity as User),
  };
}
