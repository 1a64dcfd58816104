export { type Delivery, DeliveryPoint, type DeliveryPointOptions, envelopeEvent } from './deliver.js';
export { composeDsn, type FailedRecipient } from './dsn.js';
export type { EnvelopeInHand } from './envelope-in-hand.js';
export {
  type FailedRelayOptions,
  type FailedRow,
  noticesOfFailure,
  type RelayFailure,
} from './failed-relay.js';
export { certifiedOf, type FailedEnvelope, issueNonDelivery } from './non-delivery.js';
export { depositDsn } from './own-dsn.js';
export { issueToOwnUser, type OwnNotice } from './own-notice.js';
export { enqueueNotification, type NotificationPost, type Posted } from './post.js';
export type { DkimSign } from './watched-notice.js';
