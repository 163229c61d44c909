import { join } from 'node:path'
import { expect, it } from 'vitest'
import { times } from '../../support/limits.js'
import { CTRL_C, CTRL_Z, Terminal } from '../../support/terminal.js'

const parent = join(import.meta.dirname, '../../support/native/kernel/starting-parent.mjs')

it('Ctrl-Z in the middle of a start stops the parent, and fg continues it', async () => {
  const terminal = new Terminal('bash', ['--norc', '--noprofile', '-i'])
  terminal.type(`'${process.execPath}' '${parent}'\r`)
  let position = await terminal.shows('....')
  // Waiting in clone(CLONE_VFORK) instead hangs the shell at one stop in thirteen.
  for (let i = 0; i < times(80); i += 1) {
    terminal.type(CTRL_Z)
    position = await terminal.shows('Stopped', position)
    terminal.type('fg\r')
    position = await terminal.shows('..', position)
  }
  terminal.type(CTRL_C)
  terminal.type('echo still $((6 * 7))\r')
  await terminal.shows('still 42', position)
  terminal.type('exit\r')
  expect(await terminal.exit).toMatchObject({ signal: 0 })
})
