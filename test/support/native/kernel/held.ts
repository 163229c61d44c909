/** A parent whose first child is held before its execve: test/support/held.c. */
import type { ChildProcess } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { expect } from 'vitest'
import { until } from '../../processes.js'

/** Lets its child go when it is seen that the parent prints nothing before that. Returns what tells all that it has printed. */
export async function silentWhileHeld(parent: ChildProcess, flag: string): Promise<() => string> {
  let output = ''
  parent.stdout?.on('data', (chunk) => (output += chunk))
  await until(() => existsSync(flag), 'the child is held')
  // Longer than the pause in which the parent looks whether the child is still there. Nothing can be waited for here.
  await new Promise((resolve) => setTimeout(resolve, 400))
  expect(output).toBe('')
  rmSync(flag)
  return () => output
}
