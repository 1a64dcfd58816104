import { smtpTarget } from '../smtp-peer.js';

export const target = await smtpTarget(true, 'smtp-submission');
