/** Arguments too many for any system. */
import { ExitEvent, spawnProtected } from 'sigshield'
import { expect, it } from 'vitest'
import { openDescriptors } from '../support/census.js'

it('a start that fails before the system sees it keeps no end of its exit event open', () => {
  const exitEvent = new ExitEvent()
  const before = openDescriptors()
  // Together longer than any string of V8 (buffer.constants.MAX_STRING_LENGTH).
  const args = Array.from({ length: 10 }, () => 'x'.repeat(2 ** 26))
  expect(() => spawnProtected('true', args, { stdio: 'ignore', exitEvent })).toThrow()
  expect(openDescriptors()).toEqual(before)
})
