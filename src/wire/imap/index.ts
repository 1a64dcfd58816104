export { type Entity, imapBody } from './body-structure.js';
export { CommandReader, type Decision, type ReaderLimits, type Reading } from './command-reader.js';
export { readDateTime, writeDateTime } from './dates.js';
export { envelopeAddresses, imapEnvelope } from './envelope.js';
export { ImapSyntaxError } from './errors.js';
export {
  type BodySection,
  type FetchItem,
  type Partial,
  type PartPath,
  readFetchItems,
  type SectionText,
  type SimpleItem,
} from './fetch-request.js';
export { readMailboxName, writeMailboxName } from './mailbox-name.js';
export type { Literal, Piece } from './piece.js';
export { Scanner } from './scanner.js';
export {
  readCharset,
  readReturn,
  readSearchKeys,
  type SearchedField,
  type SearchKey,
  type SearchReturn,
} from './search-request.js';
export {
  lowerBound,
  membersOf,
  readSequenceNumber,
  readSequenceSet,
  type SequenceNumber,
  type SequenceSet,
  writeSet,
} from './sequence-set.js';
export { imapNString, imapString, octetsText, utf8Octets } from './strings.js';
