/** What is refused before anything starts. */
import { forkProtected, spawnProtected } from 'sigshield'
import { expect } from 'vitest'
import { children, settles } from './census.js'
import { openDescriptors } from './descriptors.mjs'

export function thrown(start: () => unknown): { name: string; code: string; message: string } {
  try {
    start()
  } catch (error) {
    const { name, code, message } = error as Error & { code: string }
    return { name, code, message }
  }
  throw new Error('nothing was thrown')
}

/** A refusal must leave nothing: no process, no descriptor. */
export async function leavesNothing(refused: () => unknown): Promise<void> {
  const descriptors = openDescriptors()
  const family = children()
  await refused()
  expect(children()).toEqual(family)
  await settles(openDescriptors, descriptors)
}

/** A mistake in our own options: thrown as this by either way to start, and nothing is left of it. */
export async function expectRefused(options: object, code: string, message: string): Promise<void> {
  await leavesNothing(() => {
    const expected = { name: 'TypeError', code, message }
    expect(thrown(() => spawnProtected('true', options))).toEqual(expected)
    expect(thrown(() => forkProtected('x.mjs', options))).toEqual(expected)
  })
}
