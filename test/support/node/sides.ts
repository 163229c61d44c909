/** One observation made of child_process and of sigshield. */
import childProcess, { type ChildProcess, type ForkOptions, type SpawnOptions } from 'node:child_process'
import { forkProtected, spawnProtected } from 'sigshield'
import { expect } from 'vitest'

export interface Side {
  readonly name: string
  fork(modulePath: string, args: string[], options: ForkOptions): ChildProcess
  spawn(command: string, args: string[], options: SpawnOptions): ChildProcess
}

const node: Side = { name: 'child_process', fork: childProcess.fork, spawn: childProcess.spawn }
const ours: Side = { name: 'sigshield', fork: forkProtected, spawn: spawnProtected }

/** The same observation on both sides; it is also returned. */
export async function alike<T>(observe: (side: Side) => Promise<T>): Promise<T> {
  const [theirs, own] = [await observe(node), await observe(ours)]
  expect(own).toEqual(theirs)
  return theirs
}
