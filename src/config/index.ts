export { isLoopback } from './checks.js';
export { renderConfig } from './document.js';
export { readKey, setKey } from './edit.js';
export { ConfigError, type Problem } from './error.js';
export { type Config, type ConfigPaths, checkConfig, loadConfig, readConfigFile, rootOf } from './load.js';
export {
  type BlobsLocation,
  type DatabaseLocation,
  type Duration,
  type Endpoint,
  type Period,
  parseDuration,
  parseSize,
  subtractPeriod,
  UnitError,
} from './units.js';
export { programVersion } from './version.js';
