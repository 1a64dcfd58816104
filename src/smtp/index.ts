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
export { refusals } from './refusals.js';
export { describeReply, makeReply, type Reply } from './reply.js';
export {
  createSmtpServer,
  type Envelope,
  type Login,
  type MessageCharge,
  type Peer,
  type SessionBounds,
  type SmtpHandlers,
  type SmtpServer,
  type SmtpServerOptions,
  type SmtpTimeouts,
  type TlsMaterial,
  type TlsMode,
} from './server.js';
export {
  type BlobKeeper,
  cleanSpool,
  keep,
  type Spooled,
  type SpoolFault,
  type SpoolOptions,
  spool,
} from './spool.js';
