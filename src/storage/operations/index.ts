/** The store's operations by name: each one transaction. */
import * as accounts from './accounts.js';
import * as acts from './acts.js';
import * as capabilities from './capabilities.js';
import * as contents from './contents.js';
import * as copying from './copying.js';
import * as directory from './directory.js';
import * as flagging from './flagging.js';
import * as view from './folder-view.js';
import * as folders from './folders.js';
import * as health from './health.js';
import * as inspection from './inspection.js';
import * as mail from './mail.js';
import * as notification from './notification.js';
import * as presence from './presence.js';
import * as quarantine from './quarantine.js';
import * as queue from './queue.js';
import * as claims from './queue-claims.js';
import * as reception from './reception.js';
import * as register from './register.js';
import * as retention from './retention.js';
import * as scram from './scram.js';
import * as seal from './seal.js';
import * as submission from './submission.js';
import * as summaries from './summaries.js';
import * as tracking from './tracking.js';
import * as watched from './watched-senders.js';

export type { Appended, Copied } from './copying.js';
export type { FlagGroup, FlagStore, FlagsStored } from './flagging.js';
export type { Which } from './folder-rows.js';
export type { FolderChanges, ListedMessage, OpenedFolder } from './folder-view.js';
export { standardFolders } from './folders.js';
export { type InspectionRule, inspectionRules } from './inspection.js';
export type { Settlement } from './queue.js';
export type { BelievedTimes, QueueScope } from './queue-claims.js';
export type { StoredSummary, SummaryPart } from './summaries.js';

export const writes = {
  addDomain: accounts.addDomain,
  removeDomain: accounts.removeDomain,
  addHolder: accounts.addHolder,
  addMailbox: accounts.addMailbox,
  setMailbox: accounts.setMailbox,
  addScram: scram.addScram,
  setCapability: capabilities.setCapability,
  addAlias: accounts.addAlias,
  removeAlias: accounts.removeAlias,
  watchSender: watched.watchSender,
  unwatchSender: watched.unwatchSender,
  commitSubmission: submission.commitSubmission,
  commitRefusal: submission.commitRefusal,
  commitReception: reception.commitReception,
  commitNotification: notification.commitNotification,
  commitNotice: tracking.commitNotice,
  claimDue: claims.claimDue,
  releaseOwn: claims.releaseOwn,
  settle: queue.settle,
  queueHold: queue.queueHold,
  queueRetry: queue.queueRetry,
  queueDrop: queue.queueDrop,
  expunge: mail.expunge,
  createFolder: folders.createFolder,
  deleteFolder: folders.deleteFolder,
  renameFolder: folders.renameFolder,
  setSubscription: folders.setSubscription,
  storeFlags: flagging.storeFlags,
  expungeMessages: flagging.expungeMessages,
  copyMessages: copying.copyMessages,
  moveMessages: copying.moveMessages,
  appendMessages: copying.appendMessages,
  replaceMessage: copying.replaceMessage,
  putSummaries: summaries.putSummaries,
  putDirectorySource: directory.putDirectorySource,
  removeDirectorySource: directory.removeDirectorySource,
  putSnapshot: directory.putSnapshot,
  recordClock: register.recordClock,
  recordAct: acts.recordAct,
  recordPresence: presence.recordPresence,
  closeDay: seal.closeDay,
  putDayFiles: seal.putDayFiles,
  putDayToken: seal.putDayToken,
  addHold: retention.addHold,
  removeHold: retention.removeHold,
  beginPurge: retention.beginPurge,
  purgeRun: retention.purgeRun,
  endPurge: retention.endPurge,
  purgeQuarantine: quarantine.purgeQuarantine,
  registerExport: quarantine.registerExport,
  linkBlob: contents.linkBlob,
  sweep: contents.sweep,
  proveWriting: health.proveWriting,
} as const;

export const reads = {
  watchedSenders: watched.watchedSenders,
  notifiedOf: watched.notifiedOf,
  listDomains: accounts.listDomains,
  findDomain: accounts.findDomain,
  listHolders: accounts.listHolders,
  findHolder: accounts.findHolder,
  findMailbox: accounts.findMailbox,
  findLogin: accounts.findLogin,
  hiddenCapabilities: capabilities.hiddenCapabilities,
  findMailboxById: accounts.findMailboxById,
  listMailboxes: accounts.listMailboxes,
  listAliases: accounts.listAliases,
  namedFolders: folders.namedFolders,
  listFolders: folders.listFolders,
  listSubscriptions: folders.listSubscriptions,
  openFolder: view.openFolder,
  folderChanges: view.folderChanges,
  listedMessages: view.listedMessages,
  folderNamed: view.folderNamed,
  dueSummaries: summaries.dueSummaries,
  storedSummaries: summaries.storedSummaries,
  indexedContents: summaries.indexedContents,
  matchingContents: summaries.matchingContents,
  listMessages: mail.listMessages,
  findMessage: mail.findMessage,
  findOutgoing: tracking.findOutgoing,
  dueNotices: tracking.dueNotices,
  nextNoticeAt: tracking.nextNoticeAt,
  findReception: reception.findReception,
  findReceipts: reception.findReceipts,
  listQueue: queue.listQueue,
  findQueueRow: queue.findQueueRow,
  nextAttemptAt: claims.nextAttemptAt,
  dueScopes: claims.dueScopes,
  countQueue: queue.countQueue,
  countWaiting: health.countWaiting,
  searchRegister: register.searchRegister,
  pageRegister: register.pageRegister,
  registerHeads: register.registerHeads,
  lastClock: register.lastClock,
  pageActs: acts.pageActs,
  lastAct: acts.lastAct,
  presenceBetween: presence.presenceBetween,
  findSeal: seal.findSeal,
  lastSealedDay: seal.lastSealedDay,
  pageSeals: seal.pageSeals,
  unfinishedSeals: seal.unfinishedSeals,
  firstRecordedAt: seal.firstRecordedAt,
  laneEnds: seal.laneEnds,
  pageRun: seal.pageRun,
  listHolds: retention.listHolds,
  heldIn: retention.heldIn,
  pageHeld: retention.pageHeld,
  oldestKeptDay: retention.oldestKeptDay,
  listQuarantine: quarantine.listQuarantine,
  findQuarantined: quarantine.findQuarantined,
  quarantineKeys: quarantine.quarantineKeys,
  directoryMark: directory.directoryMark,
  listDirectorySources: directory.listDirectorySources,
  listSnapshots: directory.listSnapshots,
  snapshotBytes: directory.snapshotBytes,
  content: contents.content,
  blob: contents.blob,
  inspectFile: inspection.inspectFile,
  inspectRule: inspection.inspectRule,
  foreignLeases: inspection.foreignLeases,
  inspectContents: inspection.inspectContents,
  listBlobs: inspection.listBlobs,
  isBlobNamed: inspection.isBlobNamed,
} as const;
