/** Paths and arguments too long for any system. */
import { spawn } from 'node:child_process'
import { ExitEvent, spawnProtected } from 'sigshield'
import { expect, it } from 'vitest'
import { openDescriptors } from '../support/descriptors.mjs'

it.each([
  ['chdir', 'true', { cwd: 'x'.repeat(2 ** 29 - 24) }],
  ['chdir', 'true', { cwd: 'x'.repeat(5000) }],
  ['execve', 'x'.repeat(2 ** 27), {}],
  ['execve', `/${'x'.repeat(5000)}`, {}],
])('a path that is longer than any is ENAMETOOLONG, as in child_process: step %s', (step, command, options) => {
  for (const start of [spawn, spawnProtected]) {
    expect(() => start(command, [], { stdio: 'ignore', ...options })).toThrow(
      expect.objectContaining({ code: 'ENAMETOOLONG' }),
    )
  }
  expect(() => spawnProtected(command, [], options)).toThrow(expect.objectContaining({ step }))
})

it('a start that fails before the system sees it keeps no end of its exit event open', () => {
  const exitEvent = new ExitEvent()
  const before = openDescriptors()
  // Together longer than any string of V8 (buffer.constants.MAX_STRING_LENGTH).
  const args = Array.from({ length: 10 }, () => 'x'.repeat(2 ** 26))
  expect(() => spawnProtected('true', args, { stdio: 'ignore', exitEvent })).toThrow()
  expect(openDescriptors()).toEqual(before)
})
