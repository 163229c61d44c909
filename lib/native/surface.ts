/** What an addon must have, to be told from one that is older than this JavaScript. */
import type { Addon } from './addon.js'

/** Not those that a system may lack. */
type Needed = { [Name in keyof Addon]-?: undefined extends Addon[Name] ? never : Name }[keyof Addon]

const needed: Readonly<Record<Needed, true>> = {
  layout: true,
  canReadEnvironment: true,
  hasSignalFilter: true,
  hasParentDeathSignal: true,
  spawn: true,
  spawnSync: true,
  replace: true,
  stepName: true,
  kill: true,
  killGroup: true,
  killGroupAtExit: true,
  stopSignal: true,
  keepAlive: true,
  signalProcess: true,
  reapZombie: true,
  onExit: true,
  createExitPipe: true,
  descriptorLimit: true,
  setExitPipe: true,
  closeExitReadEnd: true,
  closeUnreadExitPipe: true,
  claimExitFd: true,
  waitForExitEvent: true,
  watchExitEvent: true,
  openAcknowledgement: true,
  waitForGuard: true,
  guardedSignals: true,
  liftGuard: true,
  hasFileCapabilities: true,
  rememberTerminal: true,
  resetTerminal: true,
  raiseDefault: true,
  endsProcess: true,
  endBy: true,
  leave: true,
  adoptOrphans: true,
  limitDescriptors: true,
  stopByDefault: true,
  setBlocking: true,
  canWrite: true,
  handOverTerminal: true,
  changeMask: true,
  setMask: true,
  pendingSignals: true,
  raiseSignal: true,
  describeSignal: true,
  disposition: true,
  ignoreSignals: true,
  releaseIgnored: true,
  holdSignals: true,
  releaseHold: true,
  keepAction: true,
  releaseAction: true,
  takeSignal: true,
  waitForSignal: true,
  finishWait: true,
}

/** The first that this one has not. */
export function missingName(addon: Addon): string | undefined {
  return Object.keys(needed).find((name) => !Object.hasOwn(addon, name))
}
