/** What Node's code drives in place of its own process handle: over any ChildProcess, whoever made it. It is long, as that is one object. */
import { AsyncResource } from 'node:async_hooks'
import type { ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import type { ChildEnd } from '../event/source.js'
import { sourceOf } from '../exit-event.js'
import { native } from '../native/load.js'
import {
  endChild,
  type FailedStep,
  type HandleSpawnOptions,
  handleSpawnOptions,
  pipeIsForgottenAfter,
  type StartedHandle,
  tellRefusal,
  UNTOLD,
} from '../node/child-process-contract.js'
import { checkPermission } from '../node/permission.js'
import { isHeld } from '../signal/held.js'
import { signalName } from '../signal/names.js'
import { checkOpen, namesNone } from './descriptors.js'
import type { Ended, ResourceUsage } from './ended.js'
import { type EnforcedResult, startEnforced } from './enforced-start.js'
import { PrivateField } from './private-field.js'
import { type Enforced, hasOwnGroup, type Protected, type Protection, unheardSignals } from './protection.js'
import { type PreparedTexts, startRequest } from './start-request.js'
import { UnderWay } from './under-way.js'
import { isToBeUnstarted, NO_PROGRAM } from './unstarted.js'
import { openWire, type ToldOfStart, unwatch, type Watched, watch } from './watched.js'

/** What a caller has prepared of a start. */
export interface Prepared extends PreparedTexts {
  /** What Node's spawn is called with. Undefined where that is not ours to know. */
  readonly spawn?: object
}

/** Undefined for a child of another's. */
export function handleOf(child: ChildProcess): ProcessHandle | undefined {
  return PrivateField.of(child) as ProcessHandle | undefined
}

export class ProcessHandle extends AsyncResource implements StartedHandle, Watched {
  readonly #child: ChildProcess
  readonly protection: Protection
  /** Until it is spawned: what a child that lives does not need is not kept for each. */
  #prepared: Prepared | undefined
  #id: number | undefined
  #keepsAlive = true
  #isHoldingLoop = false
  #childEnd: ChildEnd | undefined
  #onEnded: ((ended: Ended) => void)[] | undefined
  pid?: number
  ended: Ended | undefined
  #protected: Protected = { enforced: false, inForce: 0n, keptIgnored: 0n }
  /** Where the start has not waited for the program. */
  #underWay: UnderWay | undefined
  /** The child's process group has its own number. */
  leadsGroup = false
  failed: FailedStep | undefined
  readonly isUnstarted = isToBeUnstarted()
  resourceUsage: ResourceUsage | undefined
  /** Of the pipe that was its alone, when it has ended: its descendants have the mark of that. */
  inodeLeft: bigint | undefined

  constructor(child: ChildProcess, protection: Protection, prepared: Prepared) {
    super('PROCESSWRAP')
    // Fails here, where Node has opened nothing yet, if there is no addon.
    openWire()
    this.#child = child
    this.protection = protection
    this.#prepared = prepared
    PrivateField.set(child, this)
  }

  get enforced(): Enforced {
    return this.#protected.enforced
  }

  get unheard(): bigint {
    return unheardSignals(this.protection) | this.#protected.keptIgnored
  }

  /** Signals whose handlers an inherited filter keeps from being installed: what they do is their default action. */
  get unhandled(): bigint {
    return this.#protected.inForce & ~this.protection.numbers.ignored
  }

  get asksByEvent(): boolean {
    return sourceOf(this.protection.exitEvent)?.settable === true
  }

  /** Of the pipe that is its alone. */
  get ownInode(): bigint | undefined {
    return this.#childEnd?.isOwn ? this.#childEnd.inode : undefined
  }

  get running(): boolean {
    return this.#id !== undefined
  }

  onexit(exitCode: number | null, signal?: string | null): void {
    if (this.#underWay?.isNodeTold() === false) this.#underWay.nodeIsTold()
    else endChild(this.#child, exitCode, signal, this.isUnstarted ? UNTOLD : this.failed)
  }

  get asked(): boolean {
    return this.#prepared === undefined
  }

  spawn(...args: unknown[]): number {
    const prepared = this.#prepared as Prepared
    this.#prepared = undefined
    const options = handleSpawnOptions(args, prepared.spawn)
    checkPermission(options.file)
    if (options.stdio.some(namesNone)) return this.#refused(options, { step: 'fcntl' }, -constants.errno.EINVAL)
    const notOpen = checkOpen(options.stdio)
    if (notOpen !== 0) return this.#refused(options, { step: 'fcntl' }, notOpen)
    const childEnd = sourceOf(this.protection.exitEvent)?.childEnd()
    if (childEnd && childEnd.errno !== 0) return this.#refused(options, childEnd, childEnd.errno)
    let result: EnforcedResult | undefined
    try {
      result = this.#start(options, prepared, childEnd)
    } finally {
      childEnd?.started()
      if (result === undefined || result.errno !== 0) childEnd?.ended()
    }
    const { enforced, inForce, keptIgnored } = result
    this.#protected = { enforced, inForce, keptIgnored }
    if (this.isUnstarted) return this.#refused(options, { step: 'execve' }, -constants.errno.ENOENT)
    if (result.errno !== 0) return this.#refused(options, result, result.errno)
    this.#childEnd = childEnd
    this.leadsGroup = options.detached || hasOwnGroup(this.protection)
    ;({ pid: this.pid, id: this.#id } = result)
    watch(result.id, this)
    result.whenKnown?.((known, refused) => {
      this.#protected = { enforced: known, inForce, keptIgnored }
      if (refused) tellRefusal(this.#child, refused.errno, refused)
    })
    if (!result.underWay) return 0
    this.#underWay = new UnderWay()
    return UnderWay.RESULT
  }

  #start(options: HandleSpawnOptions, prepared: Prepared, childEnd: ChildEnd | undefined): EnforcedResult {
    const asked = this.isUnstarted ? { ...options, file: NO_PROGRAM } : options
    const request = startRequest(asked, prepared, this.protection, childEnd)
    // After a failure too Node makes streams of the pipes, which then see their end.
    return startEnforced(request, this.protection, (complete) => openWire().start(complete, options.stdio))
  }

  #refused(options: HandleSpawnOptions, failed: FailedStep, errno: number): number {
    for (const { type, handle } of options.stdio) {
      if (type !== 'wrap' && pipeIsForgottenAfter(errno, type)) handle?.close()
    }
    this.failed = failed
    return errno
  }

  toldOfStart(told: ToldOfStart): void {
    this.#underWay?.whenNodeIsTold(() => {
      this.#underWay = undefined
      if ('errno' in told) {
        this.failed = told
        Object.assign(this.#child, { pid: undefined })
        this.#end({ code: null, signal: null }, told.errno)
      } else {
        this.#protected = told
        this.runInAsyncScope(this.#child.emit, this.#child, 'spawn')
      }
    })
  }

  exited(code: number | null, signalNumber: number | null, usage: ResourceUsage): void {
    const signal = signalNumber === null ? null : (signalName(signalNumber) as NodeJS.Signals)
    const end = () => {
      this.resourceUsage = usage
      this.#end({ code, signal }, code)
    }
    if (this.#underWay) this.#underWay.whenNodeIsTold(end)
    else end()
  }

  /** It is the library's first: what a listener of the user's emitter does, or its removal, changes nothing here. */
  #end(ended: Ended, exitCode: number | null): void {
    this.ended = ended
    this.#forget()
    this.inodeLeft = this.ownInode
    this.#childEnd?.ended()
    this.#childEnd = undefined
    try {
      for (const listener of this.#onEnded ?? []) listener(ended)
    } finally {
      this.#onEnded = undefined
      this.runInAsyncScope(this.onexit, this, exitCode, ended.signal)
      this.emitDestroy()
    }
  }

  /** Called once, before the child's own events. `listener` must not throw. Nothing happens for a child that never ran. */
  onceEnded(listener: (ended: Ended) => void): void {
    if (this.#id === undefined) return
    this.#onEnded = [...(this.#onEnded ?? []), listener]
  }

  kill(signal: number): number {
    return this.#id === undefined ? -constants.errno.ESRCH : native().kill(this.#id, signal)
  }

  killGroup(signal: number): number {
    return this.#id === undefined ? -constants.errno.ESRCH : native().killGroup(this.#id, signal)
  }

  killGroupAtExit(): void {
    if (this.#id !== undefined) native().killGroupAtExit(this.#id)
  }

  ref(): void {
    this.#keepAlive(true)
  }

  unref(): void {
    this.#keepAlive(false)
  }

  hasRef(): boolean {
    return this.#id !== undefined && this.#keepsAlive
  }

  #keepAlive(on: boolean): void {
    if (this.#id === undefined) return
    this.#keepsAlive = on
    native().keepAlive(this.#id, this.#keepsAlive || this.#isHoldingLoop)
  }

  /** Whether it keeps the event loop alive although the user has unref'd it. */
  hold(on: boolean): void {
    this.#isHoldingLoop = on
    this.#keepAlive(this.#keepsAlive)
  }

  /** What has stopped it; 0 while it is not. */
  get stopSignal(): number {
    return this.#id === undefined ? 0 : native().stopSignal(this.#id)
  }

  /** Whether it is kept from acting: stopped by SIGSTOP or SIGTSTP, or frozen with its cgroup. */
  get isHeld(): boolean {
    return this.#id !== undefined && isHeld(this.stopSignal, this.pid as number)
  }

  #forget(): void {
    if (this.#id !== undefined) unwatch(this.#id)
    this.#id = undefined
  }

  close(): void {
    this.#forget()
  }
}
