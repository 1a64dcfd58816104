/** The rules of PEC: what is composed, what is checked, what follows from what. No I/O, no clock, no randomness. */
export { type AnomalyInput, composeAnomaly } from './anomaly.js';
export { isEightBit } from './body.js';
export { briefForm } from './brief.js';
export { type Classified, classify } from './classify.js';
export { readDaticert } from './daticert-read.js';
export { buildDaticert } from './daticert-write.js';
export { type DeliveryReport, isDeliveryReport, readDeliveryReport } from './delivery-report.js';
export { composeEnvelope, type EnvelopeInput } from './envelope.js';
export {
  type DeliveryFailure,
  type LocalCause,
  localFailure,
  type SmtpRefusal,
  smtpFailure,
} from './failures.js';
export { type FormReading, readAnomaly, readEnvelope, readNotification } from './form.js';
export { type FormalInput, type FormalLimits, formalFaults } from './formal-checks.js';
export { identificativo } from './identificativo.js';
export { ANOMALY_KEYWORD, ENVELOPE_KEYWORD, keywordOf } from './keywords.js';
export { instantOf, legalTime } from './legal-time.js';
export { composeNotification, type NotificationInput } from './notification.js';
export { originalMessageId, replyToOf } from './original-header.js';
export { composePostacert, type Postacert } from './postacert.js';
export { trackingReasons } from './reasons.js';
export { receiptForms } from './receipt-form.js';
export { receiptType } from './receipt-type.js';
export * from './reception.js';
export {
  addressKey,
  certifiedRecipients,
  distinctAddresses,
  domainOf,
  isValidAddress,
  isValidDomain,
  sameAddress,
} from './recipients.js';
export * from './tracking.js';
export * from './types.js';
