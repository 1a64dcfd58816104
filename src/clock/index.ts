export { Chrony } from './chrony.js';
export { LatestTime } from './latest-time.js';
export { NtpServer } from './ntp-server.js';
export { monotonic, type TimeSource } from './sample.js';
export { type ClockRecord, UtcWatch, type UtcWatchOptions } from './utc-watch.js';
