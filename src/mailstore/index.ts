export type { Layout } from './entity-tree.js';
export { Indexer, type IndexerOptions } from './indexer.js';
export {
  type FolderPlace,
  Mailstore,
  type MailstoreStore,
  type SummarisedMessage,
  type Usage,
} from './mailstore.js';
export { folded, type SearchedText } from './searched-text.js';
export type { SortKeys } from './sort-keys.js';
export { readText, type Summarised, summarise } from './summary.js';
