export { channelOf } from './channel.js';
export { ConnectionLost } from './connection-lost.js';
export { Deflated } from './deflated.js';
export {
  type Accepted,
  MailListener,
  type MailListenerOptions,
  type MailSession,
  type Peer,
  type TurnedAway,
} from './mail-listener.js';
export { Output } from './output.js';
export { messageOf, tellFailure } from './session-failure.js';
