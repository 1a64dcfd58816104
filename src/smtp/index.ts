export { type Phase, SmtpClientError } from './channel.js';
export {
  type ClientTimeouts,
  type ClientTls,
  type ConnectOptions,
  connectSmtp,
  defaultTimeouts,
  type OutgoingMessage,
  SmtpClient,
  type Verdict,
} from './client.js';
export { type ReplyLine, replyFor, SmtpError, type SmtpRefusal } from './errors.js';
export { domainOf, isAddress } from './path.js';
export { receivedField } from './received.js';
export { refusals, storeRefusal } from './refusals.js';
export { describeReply, makeReply, type Reply } from './reply.js';
export {
  createSmtpServer,
  type Envelope,
  type IntakeGate,
  type Login,
  type MessageCharge,
  type Peer,
  type ServerTimeouts,
  type SessionBounds,
  type SmtpHandlers,
  type SmtpServer,
  type SmtpServerOptions,
  type TlsMode,
} from './server.js';
export {
  type BlobKeeper,
  cleanSpool,
  inspectSpool,
  keep,
  type LineGuard,
  type Spooled,
  SpoolFailure,
  type SpoolFault,
  type SpoolOptions,
  spool,
} from './spool.js';
