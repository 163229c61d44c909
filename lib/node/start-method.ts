/** The method of ChildProcess that every asynchronous start of Node's ends in, and a start by it over a handle of ours. */
import { ChildProcess } from 'node:child_process'
import { type Internals, type NodeProcessHandle, type StartedHandle, withStep } from './child-process-contract.js'

export type StartMethod = (this: ChildProcess, options: unknown) => number

/** What every asynchronous start of Node's ends in: `child_process` and `cluster`, by whatever name it was imported. */
export const startMethod = {
  get current(): StartMethod {
    return (ChildProcess.prototype as unknown as { spawn: StartMethod }).spawn
  },
  set current(spawn: StartMethod) {
    ;(ChildProcess.prototype as unknown as { spawn: StartMethod }).spawn = spawn
  },
}

/** Whether it has Node's own process handle, and nothing has been started by that. */
export function isUnspawned(process: ChildProcess): boolean {
  const handle = (process as unknown as Internals)._handle
  return handle?.constructor.name === 'Process' && handle.pid === undefined
}

/**
 * Runs `spawn` over a ChildProcess that Node has made, with our handle in place of its own. That one stays as it is: to free it,
 * it must have spawned or been refused, and a refused spawn corrupts the heap of Node 24 and 26.
 */
export function startInPlace(process: ChildProcess, handle: StartedHandle, spawn: () => number): number {
  const child = process as unknown as Internals
  const nodes = child._handle
  child._handle = handle
  try {
    return spawn()
  } catch (error) {
    throw withStep(error as NodeJS.ErrnoException, handle.failed)
  } finally {
    if (handle.asked) forget(nodes as NodeProcessHandle, process)
    // Refused by a check of Node's before it: another attempt may follow.
    else child._handle = nodes
  }
}

/** What is never freed must keep nothing else. */
function forget(handle: NodeProcessHandle, process: ChildProcess): void {
  const fields = handle as unknown as Record<PropertyKey, unknown>
  fields.onexit = undefined
  for (const symbol of Object.getOwnPropertySymbols(fields)) if (fields[symbol] === process) fields[symbol] = undefined
}
