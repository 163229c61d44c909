/** A child that another library has reaped, and whose number is another process's now. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { compiledLibrary, compiledProgram } from '../native/compiled.js'

const parent = join(import.meta.dirname, '../support/stop/reused-number-parent.mjs')
const reaping = compiledLibrary('reaping')
const refused = compiledProgram('refused')

// Only root may make a pid namespace, and choose the next number in it.
describe.skipIf(process.getuid?.() !== 0)('the stranger lives on', () => {
  it.each([
    ['kill', 'nothing'],
    ['kill', 'pidfd_send_signal=ENOSYS'],
    ['kill', 'pidfd_send_signal=EPERM'],
    ['stop', 'nothing'],
    ['stop group', 'nothing'],
    ['stop group', 'group_signal=EINVAL'],
    ['stop group', 'pidfd_send_signal=EPERM'],
  ])('%s, refused: %s', async (act, calls) => {
    const command = [refused, calls, process.execPath, parent, reaping, act]
    const { stdout } = await promisify(execFile)('unshare', ['--pid', '--fork', '--mount-proc', ...command])
    expect(JSON.parse(stdout)).toEqual({ sameNumber: true, end: [null, null], stranger: 'lives' })
  })
})
