export {
  noSendingBounds,
  type SendingBounds,
  SendingLimits,
  type SendingLimitsOptions,
} from './sending-limits.js';
export type { Submission, Submitted } from './submission.js';
export { type SubmissionSessionOptions, submissionHandlers } from './submission-session.js';
export { AccessPoint, type AccessPointOptions } from './submit.js';
