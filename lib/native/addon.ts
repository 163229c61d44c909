/** The addon's surface. Everything behind it is mechanism: values are checked before they come here. */

/** What came of a start that was under way. `errno`: 0, or negative, and then there is no child any more. */
export type OnStart = (
  id: number,
  errno: number,
  step: string,
  isEnforced: boolean,
  inForce: bigint,
  keptIgnored: bigint,
) => void

export type OnExit = (
  id: number,
  code: number | null,
  signal: number | null,
  userCpuUs: number,
  systemCpuUs: number,
  maxRssBytes: number | null,
) => void

/** `handle` owns the pipe: when it is collected unset, who reads it is told that it is orphaned. */
export interface ExitPipe {
  readonly errno: number
  /** That failed. */
  readonly step: string
  readonly fd: number
  readonly inode: bigint
  readonly handle: object
}

/** 0: unset, 1: requested, 2: orphaned. */
export type ExitState = 0 | 1 | 2

/** `signal`: 0 when none came, or a negative errno. */
export type SignalArrival = [signal: number, pid: number, uid: number, isOfKernel: 0 | 1]

/** Whether the child of a call is killed, at one SIGINT: see {@link Addon.spawnSync}. */
export type Interrupted = (pid: number) => boolean

/** How a child ended that was seen through in one call. Without code and signal: something else has reaped it. */
export interface SyncEnd {
  readonly code: number | null
  readonly signal: number | null
  /** Negative, of the limit that was reached, or of a pipe that failed; 0. */
  readonly errno: number
  /** One for each descriptor; null for those that are no output of the child's. */
  readonly output: (Buffer | null)[]
}

export interface Addon {
  /** The numbers of a start, in order: `name:bytes`, separated by spaces. */
  readonly layout: string
  /** Whether the process's own environment may be asked for: Node lets the addon take the lock that it writes it under. */
  readonly canReadEnvironment: boolean
  /** Where programs are looked for without PATH. */
  readonly defaultPath: string
  /** Whether this system has a filter that keeps ignored signals ignored: without one only the guard does. */
  readonly hasSignalFilter: boolean
  /** Whether the kernel tells children of their parent's death. */
  readonly hasParentDeathSignal: boolean
  /** Returns 0, or the negative errno of a descriptor that is not open. */
  checkOpen(descriptors: Int32Array): number
  /** Returns an id, or a negative errno. The rest of the answer is in `memory`. */
  spawn(text: string, memory: ArrayBuffer): number
  /**
   * Starts a child and blocks this thread until it has ended. Returns a negative errno where nothing was started. `input` is
   * written to the first descriptor, a new pipe then; all other new pipes are read. Limits of time and size are as in the wire.
   * `interrupted` is called at each SIGINT that this process has a listener for, and answers whether the child is killed. It is given
   * the child's pid, or -1 when that has exited and others hold its pipes.
   */
  spawnSync(
    text: string,
    memory: ArrayBuffer,
    input: Uint8Array | null,
    timeoutMs: number,
    maxBuffer: number,
    killSignal: number,
    graceMs: number,
    drainMs: number,
    interrupted: Interrupted | null,
  ): SyncEnd | number
  /** The same in place of this program, with the descriptors that are kept. Returns only a negative errno. */
  replace(text: string, memory: ArrayBuffer): number
  stepName(step: number): string
  /** Returns 0 or a negative errno. */
  kill(id: number, signal: number): number
  /** For the group that the child leads. */
  killGroup(id: number, signal: number): number
  killGroupAtExit(id: number): void
  /** The signal that has stopped the child, 0 while it is not stopped. */
  stopSignal(id: number): number
  keepAlive(id: number, on: boolean): void
  /** For a process that may be no child: the one that was started at that tick. Returns 0 or a negative errno. */
  signalProcess(pid: number, startedAt: number, signal: number): number
  /** Reaps a child that nobody in this process waits for; false when there is none. */
  reapZombie(pid: number): boolean
  /**
   * Where the system has no /proc: for each process, or the one with this pid, nine numbers. Its pid, its parent's, its state as a
   * character, when it was started, its process group and session, its user, and the signals that it ignores and catches.
   */
  processTable?(pid?: number): Float64Array
  /** With that. Its name as the kernel has it, then its arguments; empty where that may not be read. */
  processNameAndArguments?(pid: number): string[]
  /**
   * With that. What its program was started with: empty where that may not be read. Undefined in the middle of an execve, which has
   * none yet.
   */
  processEnvironment?(pid: number): string[] | undefined
  /** For each child whose start was under way: before its exit. */
  onStart(callback: OnStart): void
  onExit(callback: OnExit): void
  createExitPipe(): ExitPipe
  /** How many descriptors this process, and so a child, may have. */
  descriptorLimit(): number
  setExitPipe(handle: object): void
  closeExitReadEnd(handle: object): void
  /** Closes the pipe when no process holds a read end of it, and tells whether it did. */
  closeUnreadExitPipe(handle: object): boolean
  /** `errno`: 0, or why the system does not say whether it is. */
  claimExitFd(fd: number, inode: bigint): { readonly isOurs: boolean; readonly errno: number; readonly step: string }
  /** `timeoutMs` may be Infinity. */
  waitForExitEvent(fd: number, timeoutMs: number): ExitState
  /**
   * For the one event that this process was given. What it returns holds the {@link ExitState}: raised by a thread, so right
   * without the event loop, where `raised` is called. Null where the system has no thread, or descriptor, to give for it.
   */
  watchExitEvent(fd: number, raised: () => void): Int32Array | null
  /** A pipe for a guard's answer, or a negative errno. `handle` owns both ends. */
  openAcknowledgement(): [readEnd: number, writeEnd: number, handle: object] | number
  closeAcknowledgementReadEnd(handle: object): void
  closeAcknowledgementWriteEnd(handle: object): void
  /** 0: in force, 1: not, 2: no answer in time. Blocks this thread. */
  waitForGuard(fd: number, timeoutMs: number): number
  /** Those that a guard in this process keeps ignored. */
  guardedSignals(): bigint
  liftGuard(signals: bigint): void
  /** Whether its file gives a program privileges, beside its mode. */
  hasFileCapabilities(path: string): boolean
  /** Takes note of the terminal's mode. */
  rememberTerminal(): void
  /** Takes the terminal out of raw mode, whoever has put it there, if it is this process's. */
  resetTerminal(): void
  /** Ends this process by the default action of the signal. Returns where that can't be: blocked, or process 1. */
  raiseDefault(signal: number): void
  /** Whether the signal would end this process, with no listener being told. */
  endsProcess(signal: number): boolean
  /** The same whatever this process does with the signal, and without a core dump. Returns in process 1. */
  endBy(signal: number): void
  /** Ends this process with that exit status, and leaves the terminal as it is (_exit(2)). */
  leave(code: number): never
  /** Descendants whose parents are gone become children of this process, for {@link reapZombie}. Returns 0 or a negative errno. */
  adoptOrphans(): number
  /** Of this process, and of children that start from now on: the soft limit. */
  limitDescriptors(limit: number): void
  /** Stops this process by the default action of the signal. Its action is as before when this returns, after SIGCONT. */
  stopByDefault(signal: number): void
  /**
   * Gives the descriptor to a pipe handle of Node's that has none, as its own `open` does, but without asking the permission model:
   * Node asks for none for the pipes of its own children. From here on it is not the caller's, whatever comes of it.
   */
  openPipe(handle: object, fd: number): void
  /** Lets the descriptor block. Node makes standard output and error nonblocking when it looks at them. */
  setBlocking(fd: number): void
  /** Whether a write of at most 512 bytes does not block: it is taken, or refused at once (poll(2)). */
  canWrite(fd: number): boolean
  /** Makes the group the terminal's foreground group, if this process's own is it; tells whether it did. */
  handOverTerminal(group: number): boolean
  /** Of the calling thread. `how`: 0 block, 1 unblock, 2 set. Returns the mask that was there. Sets are as the kernel's: bit n-1 for n. */
  changeMask(how: number, signals: bigint): bigint
  /** Exactly this mask. */
  setMask(mask: bigint): void
  /** Returns a negative errno where it is refused. */
  pendingSignals(): bigint
  /** For the calling thread. Returns 0 or a negative errno. */
  raiseSignal(signal: number): number
  describeSignal(signal: number): string
  /** 0: default, 1: ignored, 2: handled. */
  disposition(signal: number): number
  /** Until the handle is given to {@link releaseIgnored}. */
  ignoreSignals(signals: bigint): object
  releaseIgnored(handle: object): void
  /**
   * Returns a negative errno where no thread could be had. Until the handle is given to {@link releaseHold}, or collected where
   * `releaseAtEnd`.
   */
  holdSignals(signals: bigint, releaseAtEnd: boolean): object | number
  releaseHold(handle: object): void
  /**
   * Until the handle is given to {@link releaseAction}, libuv leaves the signal's action to who ignores, holds or awaits it, whichever
   * listeners come and go.
   */
  keepAction(signal: number): object
  /** Before a listener of the signal comes or goes. */
  listenersChange(handle: object): void
  releaseAction(handle: object): void
  /** `timeoutMs` may be Infinity. */
  takeSignal(signals: bigint, timeoutMs: number): SignalArrival
  /**
   * The same, without blocking this thread. Returns a negative errno where no thread could be had. `over` is called once when there is
   * something to tell, unless {@link finishWait} was called before. What nobody is told of at the environment's end goes on as it would
   * have where `passesOnAtEnd`.
   */
  waitForSignal(
    signals: bigint,
    timeoutMs: number,
    keepsAlive: boolean,
    passesOnAtEnd: boolean,
    over: () => void,
  ): object | number
  /** Ends the wait, once. What is told has come by now. */
  finishWait(handle: object): SignalArrival
}
