/** Where children that other code starts are seen: the method that every asynchronous start ends in, and process.kill. */
import type { ChildProcess } from 'node:child_process'
import { isOptions } from '../node/errors.js'
import { isUnspawned, type StartMethod, startInPlace, startMethod } from '../node/start-method.js'
import { signalNumber } from '../signal/names.js'
import { ForeignHandle } from './handle.js'
import { living } from './living.js'
import { Patch } from './patch.js'
import { currentShield } from './scope.js'

const starts = new Patch(startMethod, (next, isActive): StartMethod => {
  // Of the name and shape of Node's own.
  const { spawn } = {
    spawn(this: ChildProcess, options: unknown): number {
      const shield = isActive() ? currentShield() : undefined
      // Node refuses what is no start. One that has another's handle is protected already.
      if (!shield || !isOptions(options) || !isUnspawned(this)) return next.call(this, options)
      const isDetached = Boolean((options as { detached?: unknown }).detached)
      const handle = new ForeignHandle(this, shield.start(isDetached), !isDetached)
      // Before it starts: a signal that came in between would end this process alone.
      living.add(handle)
      try {
        return startInPlace(this, handle, () => next.call(this, options))
      } finally {
        handle.started(this, () => living.delete(handle))
        living.started(handle)
      }
    },
  }
  return spawn
})

const processKill = {
  get current() {
    return process.kill
  },
  set current(kill) {
    process.kill = kill
  },
}

/** A kill of a child that goes past its ChildProcess. */
const kills = new Patch(processKill, (next, isActive) => {
  const { kill } = {
    kill(pid: number, signal?: string | number): true {
      const isPid = typeof pid === 'number' || typeof pid === 'string'
      const handle = isPid && isActive() ? living.byPid(Math.abs(Number(pid))) : undefined
      const ignored = handle && (pid > 0 || handle.leadsGroup) ? ignoredSignal(handle, signal) : undefined
      if (ignored !== undefined && handle?.kill(ignored) === 0) return true
      return next.call(process, pid, signal)
    },
  }
  return kill
})

/** Its number, if the child does not hear it. What is no signal is Node's to refuse. */
function ignoredSignal(handle: ForeignHandle, signal: unknown): number | undefined {
  if (signal === 0) return undefined
  try {
    const number = signalNumber(signal || 'SIGTERM')
    return handle.ignores(number) ? number : undefined
  } catch {
    return undefined
  }
}

let isWatching = false

/** From now on children are seen here first. */
export function watchStarts(): void {
  isWatching = true
  starts.raise()
  kills.raise()
}

/** Those that live go on ignoring what they ignore. */
export function unwatchStarts(): void {
  isWatching = false
  starts.remove()
  living.whenEmpty(() => {
    if (!isWatching) kills.remove()
  })
}
