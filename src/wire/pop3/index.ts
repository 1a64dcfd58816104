export { DotStuffer, stuffed } from './dot-stuffing.js';
export {
  type Fault,
  type Grammar,
  type MessageAndLines,
  type MessageNumber,
  mailboxName,
  messageAndLines,
  messageNumber,
  noArgument,
  optionalMessageNumber,
  type Parsed,
  password,
  type SaslStart,
  saslStart,
} from './grammar.js';
export { type Line, LineReader } from './line-reader.js';
export { END, encodeReply, type Reply, type ResponseCode } from './reply.js';
export { commandLimits, parseRequest, type Request } from './request.js';
export { type PlainCredentials, readPlain } from './sasl.js';
export { TopCutter, topOf } from './top.js';
