export { isLoopback } from './checks.js';
export { renderConfig } from './document.js';
export { readKey, setKey } from './edit.js';
export { ConfigError, type Problem } from './error.js';
export { type Config, type ConfigPaths, checkConfig, loadConfig, readConfigFile, rootOf } from './load.js';
export { findKey, type KeyPlace, nearestKey } from './tree.js';
export {
  type BlobsLocation,
  type DatabaseLocation,
  type Duration,
  type Endpoint,
  type Period,
  parseClamd,
  parseDuration,
  parseSize,
  subtractPeriod,
  UnitError,
} from './units.js';
export { programVersion } from './version.js';
