/** Loads the addon, and types the whole of it. Everything here is mechanism: values are checked before they come here. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Entries of {@link SpawnRequest.descriptors} that are no descriptor of this process. */
export const NO_DESCRIPTOR = -1
export const NEW_PIPE = -2

export const Enforcement = { off: 0, ifAvailable: 1, required: 2 } as const
export type Enforcement = (typeof Enforcement)[keyof typeof Enforcement]

/** Sets of signals have bit n-1 for signal n. */
export interface SpawnRequest {
  readonly file: string
  readonly arguments: readonly string[]
  /** `null`: this process's own. */
  readonly environment: readonly string[] | null
  /** NAME=value sets, NAME removes. */
  readonly environmentChanges: readonly string[]
  /** Empty: this process's own. */
  readonly directory: string
  /** Entry n becomes the child's descriptor n. Each NEW_PIPE is replaced by this process's end of it. */
  readonly descriptors: number[]
  readonly ignored: bigint
  readonly blocked: bigint
  readonly enforcement: Enforcement
  readonly newSession: boolean
  /** 0: a new one. */
  readonly processGroup: number | null
  readonly foreground: boolean
  /** 0: none. */
  readonly parentDeathSignal: number
  readonly uid: number | null
  readonly gid: number | null
}

export interface SpawnResult {
  /** 0, or the negative errno of the failed step; then there is no process, and pid and id mean nothing. */
  readonly errno: number
  readonly step: string
  readonly enforced: boolean
  readonly pid: number
  readonly id: number
}

export type OnExit = (
  id: number,
  code: number | null,
  signal: number | null,
  userCpuUs: number,
  systemCpuUs: number,
  maxRssBytes: number | null,
) => void

/** `handle` owns the pipe: when it is collected unset, the children are told that they are orphaned. */
export interface ExitPipe {
  readonly errno: number
  readonly fd: number
  readonly inode: number
  readonly handle: object
}

/** 0: unset, 1: requested, 2: orphaned. */
export type ExitState = 0 | 1 | 2

export interface ExitEventWatch {
  readonly errno: number
  /** Holds the {@link ExitState}; raised by a thread, so right without the event loop. */
  readonly flag: Int32Array
}

interface Native {
  /** Returns an id, or a negative errno. The rest of the answer is in `memory`. */
  spawn(text: string, memory: ArrayBuffer): number
  stepName(step: number): string
  /** Returns 0 or a negative errno. */
  kill(id: number, signal: number): number
  /** For the group that the child leads. */
  killGroup(id: number, signal: number): number
  killGroupAtExit(id: number): void
  keepAlive(id: number, on: boolean): void
  onExit(callback: OnExit): void
  createExitPipe(): ExitPipe
  setExitPipe(handle: object, keepReadEnd: boolean): void
  claimExitFd(fd: number, inode: number): boolean
  /** `timeoutMs` may be Infinity. */
  waitForExitEvent(fd: number, timeoutMs: number): ExitState
  /** For the one event that this process was given. `raised` is called on the event loop. */
  watchExitEvent(fd: number, raised: () => void): ExitEventWatch
  keepExitEventAlive(on: boolean): void
}

/** The folder that holds binding.gyp: one above lib/ and dist/ alike. */
const root = join(dirname(fileURLToPath(import.meta.url)), '..')

function load(): Native {
  if (process.platform !== 'linux') {
    throw Object.assign(
      new Error(
        `sigshield can't start children on ${process.platform} yet: only Linux is supported. ` +
          'Use node:child_process there, and tell children to leave over a pipe that you close.',
      ),
      { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' },
    )
  }
  const require = createRequire(import.meta.url)
  if (!existsSync(join(root, 'build')) && !existsSync(join(root, 'prebuilds'))) {
    throw Object.assign(
      new Error(
        `The sigshield addon is not built in ${root}: npm was told not to run install scripts. ` +
          'Run `npm rebuild sigshield` (it needs python3, make and a C++20 compiler).',
      ),
      { code: 'ERR_DLOPEN_FAILED' },
    )
  }
  return (require('node-gyp-build') as (directory: string) => Native)(root)
}

export const native: Native = load()

/** Where each number stands, as 32-bit words: `Wire` in native/core/wire.h. The two sets are before them. */
const Slot = {
  enforcement: 4,
  setProcessGroup: 5,
  processGroup: 6,
  foreground: 7,
  parentDeathSignal: 8,
  newSession: 9,
  setUid: 10,
  uid: 11,
  setGid: 12,
  gid: 13,
  argumentCount: 14,
  environmentCount: 15,
  changeCount: 16,
  descriptorCount: 17,
  step: 18,
  pid: 19,
  enforced: 20,
  descriptors: 21,
} as const

/** One for all starts of this thread, as long as its children have no more descriptors than this. */
let { memory, sets, numbers } = memoryFor(16)

function memoryFor(descriptors: number) {
  const memory = new ArrayBuffer((Slot.descriptors + descriptors) * Int32Array.BYTES_PER_ELEMENT)
  return { memory, sets: new BigUint64Array(memory, 0, 2), numbers: new Int32Array(memory) }
}

/** Starts a process. Writes the ends of new pipes into `request.descriptors`, after a failure too. */
export function startProcess(request: SpawnRequest): SpawnResult {
  const { descriptors, environment, processGroup, uid, gid } = request
  if (Slot.descriptors + descriptors.length > numbers.length)
    ({ memory, sets, numbers } = memoryFor(descriptors.length))
  sets[0] = request.ignored
  sets[1] = request.blocked
  numbers[Slot.argumentCount] = request.arguments.length
  numbers[Slot.environmentCount] = environment === null ? -1 : environment.length
  numbers[Slot.enforcement] = request.enforcement
  numbers[Slot.newSession] = request.newSession ? 1 : 0
  numbers[Slot.setProcessGroup] = processGroup === null ? 0 : 1
  numbers[Slot.processGroup] = processGroup ?? 0
  numbers[Slot.foreground] = request.foreground ? 1 : 0
  numbers[Slot.parentDeathSignal] = request.parentDeathSignal
  numbers[Slot.setUid] = uid === null ? 0 : 1
  numbers[Slot.uid] = uid ?? 0
  numbers[Slot.setGid] = gid === null ? 0 : 1
  numbers[Slot.gid] = gid ?? 0
  numbers[Slot.changeCount] = request.environmentChanges.length
  numbers[Slot.descriptorCount] = descriptors.length
  for (let i = 0; i < descriptors.length; i += 1) numbers[Slot.descriptors + i] = descriptors[i] as number

  const texts = [request.file, request.directory].concat(
    request.arguments,
    environment ?? [],
    request.environmentChanges,
    '',
  )
  const id = native.spawn(texts.join('\0'), memory)
  for (let i = 0; i < descriptors.length; i += 1) descriptors[i] = numbers[Slot.descriptors + i] as number
  return {
    errno: id < 0 ? id : 0,
    step: id < 0 ? native.stepName(numbers[Slot.step] as number) : '',
    enforced: numbers[Slot.enforced] === 1,
    pid: numbers[Slot.pid] as number,
    id,
  }
}
